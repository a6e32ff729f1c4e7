'use strict';
/*
 * Holds each answer against htdocs/openapi.json: its path, method and status must have an entry there, the headers that
 * the entry requires must be there, and the body must be what the entry's schema says, with no field besides.
 *
 * The validator (ajv, JSON Schema 2020-12) is not part of node; `make check` fetches it into the build folder. Without it nothing
 * is checked, and `missing` says why; in CI (CI=true) that is an error, so that no run passes for want of it.
 */
const fs = require('node:fs');
const {createRequire} = require('node:module');
const path = require('node:path');

const source = process.env.PROCPLAN_SOURCE || path.resolve(__dirname, '..', '..');
const file = path.join(source, 'htdocs', 'openapi.json');

/* Refusals of the web server in front of the planner: they may come on any path, and have the entry "default". */
const IN_FRONT = new Set([400, 413, 414, 421, 431, 501, 502, 503, 504, 505]);

/* What every answer has, once: twice given, a header's values come with a comma between them. */
const ALWAYS = {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
};

/* What tests send to show that it does not matter. */
const NONSENSE = new Set(['_', 'x']);

/* A package of tests/package.json, from the build folder or, for tests run by hand, the source's. */
function testModule(name) {
    const folders = [process.env.PROCPLAN_BUILD, process.cwd(), path.join(source, 'build'), source].filter(Boolean);
    for (const folder of folders) {
        try {
            return createRequire(path.join(folder, 'tests', 'package.json'))(name);
        } catch (error) {
            if (error.code !== 'MODULE_NOT_FOUND') throw error;
        }
    }
    return null;
}

const Ajv = testModule('ajv/dist/2020');
const missing = Ajv ? false : 'the package ajv is missing: make test-modules fetches it';
const document = JSON.parse(fs.readFileSync(file, 'utf8'));
let ajv = null;

if (missing && process.env.CI && process.env.CI !== 'false') throw new Error(`no answer can be checked in CI: ${missing}`);
if (Ajv) {
    ajv = new Ajv({allowUnionTypes: true, strictRequired: false, strictTuples: false, strictTypes: false, formats: {'date-time': true}});
    ajv.addVocabulary(['components', 'paths']);
    ajv.addSchema({$id: 'openapi', components: document.components, paths: document.paths}, undefined, false, false);
}

const pointer = (...steps) => `#${steps.map((step) => `/${encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`;

/* What a pointer leads to, through one $ref if need be; gives [value, pointer]. */
function follow(...steps) {
    const value = steps.reduce((at, step) => at?.[step], document);
    if (typeof value?.$ref === 'string' && steps.at(-1) !== 'schema') return follow(...value.$ref.slice(2).split('/'));
    return [value, steps];
}

/* What is wrong with VALUE by the schema at STEPS, in words, or null. Compiled once a process, when first used. */
function schemaFault(steps, value) {
    const validate = ajv.getSchema(`openapi${pointer(...steps)}`);
    if (validate(value)) return null;
    return validate.errors.slice(-4).map((error) => `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`).join('; ');
}

/* The path in the document that TARGET belongs to; undefined for one that is none of ours. As nginx reads it: decoded, normalised. */
function pathOf(target) {
    let name;
    try {
        name = decodeURIComponent(new URL(target.replaceAll(/\/{2,}/g, '/'), 'http://localhost').pathname).replaceAll(/\/{2,}/g, '/');
    } catch {
        return undefined;
    }
    if (document.paths[name]) return name;
    return Object.keys(document.paths).find((candidate) => {
        const prefix = candidate.replace(/\{\w+\}$/, '');
        return prefix !== candidate && name.startsWith(prefix);
    });
}

/* Where the entry of an answer stands, or what is wrong with there being such an answer at all. */
function entryOf(method, target, status) {
    const name = pathOf(target);
    const item = document.paths[name];
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();

    if (item?.[verb]) {
        const {responses} = item[verb];
        const key = responses[status] ? String(status) : IN_FRONT.has(status) ? 'default' : undefined;
        if (key) return {steps: ['paths', name, verb, 'responses', key]};
        return {fault: `${verb} ${name} has no entry for status ${status}`};
    }
    if (status === (item ? 405 : 404) || IN_FRONT.has(status) || (!item && status === 405))
        return {steps: ['components', 'responses', 'Refused']};
    return {fault: item ? `${name} has no entry for ${method}` : 'the path has no entry'};
}

/* What is wrong with the answer to METHOD TARGET, or null. */
function fault(method, target, answer) {
    const {steps, fault: unlisted} = entryOf(method, target, answer.status);
    if (unlisted) return unlisted;
    const [entry, at] = follow(...steps);

    for (const [name, value] of Object.entries(ALWAYS))
        if (answer.headers[name] !== value) return `the header ${name} is "${answer.headers[name]}"`;
    for (const name of Object.keys(entry.headers ?? {})) {
        const [header, headerAt] = follow(...at, 'headers', name);
        const value = answer.headers[name.toLowerCase()];
        if (value === undefined && header.required) return `the header ${name} is missing`;
        if (value !== undefined && header.schema.type === 'string') {
            const wrong = schemaFault([...headerAt, 'schema'], value);
            if (wrong) return `the header ${name}: ${wrong}`;
        }
    }
    if (method === 'HEAD') return null;
    if (!entry.content) return answer.bytes.length > 0 ? 'it has a body' : null;
    const type = (answer.headers['content-type'] ?? '').split(';')[0].trim();
    if (!entry.content[type]) return `its type is "${type}"`;
    if (type !== 'application/json') return null;
    if (answer.json === undefined) return 'it is not JSON';
    if (answer.status >= 400 && answer.json.status !== answer.status) return `it says it has status ${answer.json.status}`;
    return schemaFault([...at, 'content', type, 'schema'], answer.json);
}

/* What a call that was answered well was given and is not described: a parameter of the query, or a member of the body. */
function givenFault(method, target, answer, body) {
    const item = document.paths[pathOf(target)];
    const operation = item?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
    if (!operation || answer.status >= 300) return null;
    const described = (operation.parameters ?? []).map((one) => (one.$ref ? follow(...one.$ref.slice(2).split('/'))[0] : one));
    for (const name of new URL(target, 'http://localhost').searchParams.keys()) {
        if (!NONSENSE.has(name) && !described.some((one) => one.in === 'query' && one.name === name))
            return `the query parameter ${name} is not described`;
    }
    if (!operation.requestBody || typeof body !== 'object' || body === null || Buffer.isBuffer(body)) return null;
    const [schema] = follow(...operation.requestBody.content['application/json'].schema.$ref.slice(2).split('/'));
    const unknown = Object.keys(body).find((name) => !NONSENSE.has(name) && !schema.properties[name]);
    return unknown === undefined ? null : `the member ${unknown} of the body is not described`;
}

/*
 * Throws when the answer, or what was sent for it, is not what the document describes. What is not under /api/ is the page, and
 * not described. BODY is the object that was sent, or anything else.
 */
function checkAnswer(method, target, answer, body) {
    if (!ajv || answer.status === 0 || !/^\/+api(\/|$|\?)/.test(target)) return;
    const wrong = fault(method, target, answer) ?? givenFault(method, target, answer, body);
    if (wrong) {
        throw new Error(`${method} ${target}: the answer (${answer.status}) is not the one that htdocs/openapi.json describes: ${wrong}\n`
            + answer.text.slice(0, 500));
    }
}

module.exports = {ajv, checkAnswer, document, fault, missing, schemaFault, testModule};
