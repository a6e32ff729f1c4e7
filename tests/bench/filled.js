'use strict';
/* A server over a database that fill.c made, as it is after a year of use. */
const {execFileSync} = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {build, startServer} = require('../api/harness.js');

const NOBODY = 65534;

/* Calls BODY with a server; fill.c says what the numbers are. Everything is gone afterwards. TMPDIR chooses the file system. */
async function withFilledServer({gpus, bookings, density, ahead, workers = 1}, body) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'procplan-bench-'));
    fs.chmodSync(folder, 0o755);
    const filled = path.join(folder, 'state');
    try {
        execFileSync(path.join(build, 'tests', 'bench', 'fill'), [filled, gpus, bookings, density, ahead].map(String));
        const config = fs.readFileSync(path.join(filled, 'config.json'), 'utf8');
        /* Started by root, the pool runs as the owner of the database's folder. */
        if (process.getuid() === 0)
            for (const name of ['.', ...fs.readdirSync(filled)]) fs.chownSync(path.join(filled, name), NOBODY, NOBODY);
        const server = await startServer({config, workers, args: ['--database', path.join(filled, 'procplan.db')]});
        try {
            return await body(server);
        } finally {
            await server.stop();
        }
    } finally {
        fs.rmSync(folder, {recursive: true, force: true});
    }
}

module.exports = {withFilledServer};
