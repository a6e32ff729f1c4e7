'use strict';
/*
 * A strict reader of iCalendar (RFC 5545), made for the tests: it throws at whatever a tolerant one would pass over.
 * ./configure finds libical for the unit tests, which is the second opinion.
 */
const assert = require('node:assert/strict');

const NAME = /^[A-Z][A-Z0-9-]*$/;

/* Section 3.1: lines of at most 75 octets, each whole UTF-8, ended by CRLF; a blank continues the line before. */
function contentLines(bytes) {
    const text = bytes.toString('latin1');
    assert.ok(text.endsWith('\r\n'), 'it ends with CRLF');
    const lines = text.slice(0, -2).split('\r\n');
    const unfolded = [];
    for (const line of lines) {
        assert.ok(line.length <= 75, `${line.length} octets: ${line}`);
        assert.ok(line.length > 0, 'an empty line');
        assert.doesNotMatch(line, /[\0-\x08\x0a-\x1f\x7f]/, 'a control character');
        const decoded = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(Buffer.from(line, 'latin1'));
        if (decoded.startsWith(' ')) unfolded[unfolded.length - 1] += decoded.slice(1);
        else unfolded.push(decoded);
    }
    return unfolded;
}

/* Section 3.3.11: what a TEXT value says. */
function textOf(value) {
    assert.doesNotMatch(value.replace(/\\[\\;,nN]/g, ''), /[\\;,]/, `not escaped: ${value}`);
    return value.replace(/\\([\\;,nN])/g, (_, c) => (c === 'n' || c === 'N' ? '\n' : c));
}

/* Section 3.3.5, form 2: UTC. In hours since 1970. */
function hourOfTime(value) {
    const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value);
    assert.ok(m, `no time in UTC: ${value}`);
    return Date.parse(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`) / 3_600_000;
}

/* The calendar's own properties and its events: [{name: value}, …]. No property stands twice. */
function parseCalendar(bytes) {
    const calendar = {events: []};
    const open = [];
    for (const line of contentLines(bytes)) {
        const colon = line.indexOf(':');
        const name = line.slice(0, colon);
        const value = line.slice(colon + 1);
        assert.match(name, NAME, line);
        const top = open[open.length - 1];
        if (name === 'BEGIN') {
            assert.equal(value, ['VCALENDAR', 'VEVENT'][open.length], line);
            open.push(value);
            if (value === 'VEVENT') calendar.events.push({});
        } else if (name === 'END') {
            assert.equal(value, open.pop(), line);
        } else {
            const properties = top === 'VEVENT' ? calendar.events[calendar.events.length - 1] : calendar;
            assert.ok(top, `outside of the calendar: ${line}`);
            assert.ok(!Object.hasOwn(properties, name), `twice: ${line}`);
            properties[name] = value;
        }
    }
    assert.deepEqual(open, [], 'all is closed');
    assert.equal(calendar.VERSION, '2.0');
    assert.ok(calendar.PRODID);
    for (const event of calendar.events)
        for (const name of ['UID', 'DTSTAMP', 'DTSTART', 'DTEND']) assert.ok(event[name], `${name} is missing`);
    return calendar;
}

module.exports = {hourOfTime, parseCalendar, textOf};
