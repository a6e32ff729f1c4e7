'use strict';
const assert = require('node:assert/strict');
const {test} = require('node:test');
const {assertHas, reload} = require('./fixtures.js');
const {CONFIG, request, serverMissing, startServer, suite} = require('./harness.js');

const it = suite({config: CONFIG});

it('the nodes come in the order of the configuration, with their GPUs', async (server) => {
    const answer = await request(server, 'GET', '/api/nodes');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json.nodes.map((node) => node.id), ['beta', 'alpha', 'empty', '7']);
    assert.deepEqual(answer.json.nodes.map((node) => node.gpu_count), [1, 3, 0, 2]);
    assert.deepEqual(answer.json.nodes[1].gpus.map((gpu) => gpu.id), ['gpu2', 'gpu0', 'gpu1']);
    assert.deepEqual(answer.json.nodes[2].gpus, []);
});

it('a node without a name is called by its id, and a number as an id becomes text', async (server) => {
    const {nodes} = (await request(server, 'GET', '/api/nodes')).json;
    assert.deepEqual(nodes.map((node) => node.name), ['Beta Node', 'alpha', 'No GPUs here', 'Seven']);
    assert.deepEqual(nodes[3].gpus.map((gpu) => gpu.id), ['1', '2']);
});

it('a GPU without a kind is unspecified, and device is there only where the configuration gives it', async (server) => {
    const {nodes} = (await request(server, 'GET', '/api/nodes')).json;
    assert.deepEqual(nodes[1].gpus, [
        {id: 'gpu2', kind: 'A100', device: '2'},
        {id: 'gpu0', kind: 'A100', device: 'GPU-8f6c'},
        {id: 'gpu1', kind: 'unspecified'},
    ]);
});

it('the answer is JSON and has a length', async (server) => {
    const {headers, bytes} = await request(server, 'GET', '/api/nodes');
    assert.match(headers['content-type'], /^application\/json\b/);
    assert.equal(Number(headers['content-length']), bytes.length);
});

it('HEAD has the headers of GET and no body', async (server) => {
    const get = await request(server, 'GET', '/api/nodes');
    const head = await request(server, 'HEAD', '/api/nodes');
    assert.equal(head.status, 200);
    assert.equal(head.bytes.length, 0);
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control'])
        assert.equal(head.headers[name], get.headers[name], name);
});

it('an unknown query parameter does not disturb', async (server) => {
    const answer = await request(server, 'GET', '/api/nodes?_=1732358400&x');
    assert.equal(answer.status, 200);
    assert.equal(answer.json.nodes.length, 4);
});

test('a node says how many of its GPUs are retired, as long as there are any', {skip: serverMissing()}, async () => {
    const config = (...ids) => ({nodes: [{id: 'n', gpus: ids.map((id) => ({id}))}]});
    const server = await startServer({config: config('g0', 'g1', 'g2')});
    const node = async (...ids) => {
        server.writeConfig(config(...ids));
        assert.equal((await reload(server)).status, 200);
        return (await request(server, 'GET', '/api/nodes')).json.nodes[0];
    };
    try {
        assertHas(await node('g1'), {gpu_count: 1, retired_gpu_count: 2});
        assertHas(await node('g1', 'g2'), {gpu_count: 2, retired_gpu_count: 1});
        assert.equal((await node('g2', 'g1', 'g0')).retired_gpu_count, undefined);
    } finally {
        await server.stop();
    }
});
