'use strict';
/*
 * A FastCGI client as nginx is one: a connection for each request, the responder's role, no kept connections
 * (FastCGI Specification 1.0). It speaks to the pool's socket directly, so a test sees what the pool itself does.
 */
const net = require('node:net');

const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;
const HEADER = 8;

function record(type, content) {
    const header = Buffer.alloc(HEADER);
    header[0] = 1;
    header[1] = type;
    header.writeUInt16BE(1, 2); /* the request's id */
    header.writeUInt16BE(content.length, 4);
    return Buffer.concat([header, content]);
}

function stream(type, bytes) {
    const records = [];
    for (let at = 0; at < bytes.length; at += 65535) records.push(record(type, bytes.subarray(at, at + 65535)));
    records.push(record(type, Buffer.alloc(0)));
    return Buffer.concat(records);
}

function lengthOf(bytes) {
    if (bytes.length < 128) return Buffer.from([bytes.length]);
    const out = Buffer.alloc(4);
    out.writeUInt32BE((bytes.length | 0x80000000) >>> 0);
    return out;
}

function parameters(values) {
    const parts = [];
    for (const [name, value] of Object.entries(values)) {
        const key = Buffer.from(name), text = Buffer.from(String(value));
        parts.push(lengthOf(key), lengthOf(text), key, text);
    }
    return Buffer.concat(parts);
}

/* A whole request as bytes. TARGET is a path with its query. */
function encode(method, target, body = '', headers = {}) {
    const [path, query = ''] = target.split('?');
    const bytes = Buffer.from(body);
    return Buffer.concat([
        record(BEGIN, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
        stream(PARAMS, parameters({
            GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_METHOD: method, PATH_INFO: path, QUERY_STRING: query,
            CONTENT_LENGTH: bytes.length === 0 ? '' : bytes.length, HTTP_HOST: '127.0.0.1', ...headers,
        })),
        stream(STDIN, bytes),
    ]);
}

/* What came on stdout, and whether the request was ended in order. */
function decode(bytes) {
    const out = [];
    let ended = false, at = 0;
    while (at + HEADER <= bytes.length) {
        const length = bytes.readUInt16BE(at + 4), next = at + HEADER + length + bytes[at + 6];
        if (next > bytes.length) break;
        if (bytes[at + 1] === STDOUT) out.push(bytes.subarray(at + HEADER, at + HEADER + length));
        if (bytes[at + 1] === END) ended = true;
        at = next;
    }
    return {text: Buffer.concat(out), ended};
}

/* The CGI form of an answer: status, headers by small name, body as a Buffer. */
function parse(text) {
    const blank = text.indexOf('\r\n\r\n');
    if (blank < 0) throw new Error(`no answer: ${JSON.stringify(text.toString().slice(0, 80))}`);
    const headers = {};
    for (const line of text.subarray(0, blank).toString().split('\r\n')) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const body = text.subarray(blank + 4);
    return {status: headers.status ? parseInt(headers.status, 10) : 200, headers, body, json: () => JSON.parse(body)};
}

/* Sends encoded bytes; gives the raw answer once the peer has closed. Rejects when nobody listens. */
function exchange(socketPath, bytes) {
    return new Promise((resolve, reject) => {
        const chunks = [];
        const socket = net.connect({path: socketPath});
        socket.on('error', reject);
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('end', () => socket.end());
        socket.on('close', () => resolve(Buffer.concat(chunks)));
        socket.write(bytes);
    });
}

/* One request and its answer. Rejects when it was cut: no END_REQUEST, or fewer bytes than Content-Length says. */
async function request(socketPath, method, target, {body = '', headers = {}} = {}) {
    const {text, ended} = decode(await exchange(socketPath, encode(method, target, body, headers)));
    if (!ended) throw new Error(`the answer was cut after ${text.length} bytes`);
    const answer = parse(text);
    const announced = answer.headers['content-length'];
    if (method !== 'HEAD' && announced !== undefined && Number(announced) !== answer.body.length)
        throw new Error(`${answer.body.length} bytes of ${announced}`);
    return answer;
}

/* Connects and sends COUNT bytes of a request, then says nothing more. Gives the socket. */
function goQuiet(socketPath, count = 1) {
    return new Promise((resolve, reject) => {
        const socket = net.connect({path: socketPath}, () => {
            socket.write(encode('GET', '/api/nodes').subarray(0, count), () => resolve(socket));
        });
        socket.on('error', reject);
        socket.resume();
    });
}

module.exports = {encode, decode, parse, exchange, request, goQuiet};
