'use strict';
/*
 * What may answer where a planner should be. Each listens on a free port of 127.0.0.1; `close()` ends it and what it holds
 * open. `requests` is what it was sent, as text.
 */
const net = require('node:net');
const tls = require('node:tls');

/* For these tests only: names 127.0.0.1, signed by itself, valid from 2020 to 2119. Nobody trusts it unless told to. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUHdjEMwa5YYps90NMdSLeH9mRwm4wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTIwMDEwMTAwMDAwMFoYDzIxMTkxMjA4
MDAwMDAwWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS6+C4GPuQphx33kn2mhgJI8/1BTSVFzIXy6toe3phCKoyUqwBsjLgG
a+ESmrsC5lDdytMyc24n7F6PVTpWqFVro2QwYjAdBgNVHQ4EFgQUMiOoP4PNmJ90
030VzyRL+5ImF4wwHwYDVR0jBBgwFoAUMiOoP4PNmJ90030VzyRL+5ImF4wwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQCTmDDdokBJkDOHemELS03Loh+JYWeZSne32e/RV87RvAIgYq46+2hopjHZBe0+
N2bMhrzX0CMpIFnvB/gYhGwjBaA=
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnWQdf2uhvfteCXHt
6Pp3hzm1yuWIKapayYCvsXvH+eOhRANCAAS6+C4GPuQphx33kn2mhgJI8/1BTSVF
zIXy6toe3phCKoyUqwBsjLgGa+ESmrsC5lDdytMyc24n7F6PVTpWqFVr
-----END PRIVATE KEY-----
`;

const FLOOD = Buffer.alloc(1 << 16, 'x');

/* NAME → what a listener does with a connection. */
const BEHAVIOURS = {
    resets: (socket) => { socket.once('data', () => socket.resetAndDestroy()); },
    closes: (socket) => { socket.once('data', () => socket.end()); },
    'is silent': () => {},
    'is not HTTP': (socket) => { socket.end('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'); },
    'is not JSON': (socket) => { answer(socket, '200 OK', '<html>Please log in</html>'); },
    'says 200 and something else': (socket) => { answer(socket, '200 OK', '{"status": "ok"}'); },
    'nests deeply': (socket) => { answer(socket, '200 OK', '['.repeat(60_000)); },
    'drips its head': (socket) => { drip(socket, 'HTTP/1.1 200 OK\r\n', 'X-Drip: 1\r\n'); },
    'drips its body': (socket) => { drip(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n', ' '); },
    'says only 100': (socket) => { drip(socket, '', 'HTTP/1.1 100 Continue\r\n\r\n'); },
    'floods its head': (socket) => { flood(socket, 'HTTP/1.1 200 OK\r\nX-Flood: '); },
    'floods its body': (socket) => { flood(socket, 'HTTP/1.1 200 OK\r\n\r\n'); },
    'breaks its chunks': (socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{"status"'));
    },
    'cuts its body': (socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"status": "comple'));
    },
    'redirects to itself': (socket) => { answer(socket, '308 Permanent Redirect', '', 'Location: /\r\n'); },
    'redirects to a file': (socket) => { answer(socket, '302 Found', '', 'Location: file:///etc/passwd\r\n'); },
    'answers in escapes': (socket) => { answer(socket, '500 Error', '\x1b]0;owned\x07\x1b[2J\xff'); },
};

function answer(socket, status, body, headers = '') {
    socket.once('data', () => {
        socket.end(`HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`, 'latin1');
    });
}

function drip(socket, head, drop) {
    socket.write(head);
    const timer = setInterval(() => socket.write(drop), 50);
    socket.on('close', () => clearInterval(timer));
}

function flood(socket, head) {
    const pour = () => { while (!socket.destroyed && socket.write(FLOOD)); };
    socket.on('drain', pour);
    socket.write(head);
    pour();
}

/* BEHAVE is a name from above, or a function of the socket. With SECURE it speaks TLS. */
function listen(behave, {secure = false} = {}) {
    const sockets = new Set();
    const listener = {requests: []};
    const take = (socket) => {
        const index = listener.requests.push('') - 1;
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        socket.on('error', () => {}); /* they go away: that is the point */
        socket.on('data', (bytes) => { listener.requests[index] += bytes.toString('latin1'); });
        (BEHAVIOURS[behave] ?? behave)(socket);
    };
    const server = secure ? tls.createServer({key: KEY, cert: CERTIFICATE}, take) : net.createServer(take);
    server.on('tlsClientError', () => {});
    listener.close = () => new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
    });
    return new Promise((resolve, reject) => {
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            listener.port = server.address().port;
            listener.url = `${secure ? 'https' : 'http'}://127.0.0.1:${listener.port}`;
            resolve(listener);
        });
    });
}

/*
 * A listener that refuses TIMES requests in words for a planner that is busy, with HEADERS, and then gives the booking back. The
 * times at which requests came, in milliseconds, are `at`.
 */
async function busy(times, status = '429 Too Many Requests', headers = 'Retry-After: 1\r\n') {
    const at = [];
    const listener = await listen((socket) => {
        at.push(Date.now());
        if (at.length <= times) answer(socket, status, `{"error": "busy", "status": ${parseInt(status, 10)}}`, headers);
        else answer(socket, '200 OK', '{"booking_id": 1, "status": "completed"}');
    });
    return Object.assign(listener, {at});
}

/* A port on which nobody listens, for the moment. */
async function deadPort() {
    const listener = await listen('closes');
    await listener.close();
    return listener.port;
}

module.exports = {BEHAVIOURS, CERTIFICATE, KEY, busy, deadPort, listen};
