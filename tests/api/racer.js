'use strict';
/*
 * One of the processes of race.test.js: waits for the word, then tries to book each slot of one GPU, one after the other,
 * and tells which statuses it got. Started with fork().
 */
const http = require('node:http');

process.once('message', async ({port, label, bodies}) => {
    const agent = new http.Agent({keepAlive: true, maxSockets: 1});
    const call = (method, path, body) => new Promise((resolve, reject) => {
        const request = http.request({host: '127.0.0.1', port, method, path, agent}, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
            response.on('end', () => resolve({status: response.statusCode, text}));
        });
        request.on('error', reject);
        request.end(body);
    });
    await call('GET', '/api/health'); /* the connection stands before the start */
    process.send('ready');
    process.once('message', async () => {
        const answers = [];
        for (const body of bodies) {
            const {status, text} = await call('POST', '/api/book', JSON.stringify({...body, user_label: label}));
            const json = JSON.parse(text);
            answers.push({status, id: json.booking_id, conflict: json.conflicts?.[0]?.booking_id});
        }
        agent.destroy();
        process.send(answers, () => process.disconnect());
    });
});
