'use strict';
/*
 * One of the processes of race.test.js and edit_race.test.js: waits for the word, then sends its CALLS ([method, path, body]),
 * one after the other, and tells what it got. Started with fork().
 */
const http = require('node:http');

process.once('message', async ({port, calls}) => {
    const agent = new http.Agent({keepAlive: true, maxSockets: 1});
    const call = (method, path, body) => new Promise((resolve, reject) => {
        const request = http.request({host: '127.0.0.1', port, method, path, agent}, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
            response.on('end', () => resolve({status: response.statusCode, headers: response.headers, text}));
        });
        request.on('error', reject);
        request.end(body);
    });
    await call('GET', '/api/health'); /* the connection stands before the start */
    process.send('ready');
    process.once('message', async () => {
        const answers = [];
        for (const [method, path, body] of calls) {
            const answer = await call(method, path, JSON.stringify(body));
            const json = JSON.parse(answer.text);
            const {id = json.booking_id, error, version} = json;
            answers.push({...answer, id, conflict: json.conflicts?.[0]?.booking_id, error, version});
        }
        agent.destroy();
        process.send(answers, () => process.disconnect());
    });
});
