-- ProcPlan's database, version 1. Built into the program; changed only by a new version (see connection.c).
--
-- Hours are whole UTC hours since 1970-01-01T00:00Z, windows half-open [start, end). Times of day (created_at and
-- such) are seconds since 1970. A NULL until_hour means: still in use.

CREATE TABLE node (
    node_key    INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    position    INTEGER NOT NULL,           -- in the configuration file
    since_hour  INTEGER NOT NULL,
    until_hour  INTEGER                     -- when it left the file: retired, never deleted
) STRICT;

CREATE TABLE gpu (
    gpu_key     INTEGER PRIMARY KEY,
    node_key    INTEGER NOT NULL REFERENCES node,
    id          TEXT NOT NULL,              -- unique within its node only
    kind        TEXT NOT NULL,
    device      TEXT,                       -- what CUDA_VISIBLE_DEVICES should say
    position    INTEGER NOT NULL,
    since_hour  INTEGER NOT NULL,
    until_hour  INTEGER,
    held_until  INTEGER NOT NULL DEFAULT -17259888,  -- the end of its last allocation, or the first hour of all (year 1)
    UNIQUE (node_key, id)
) STRICT;

CREATE TABLE booking (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    node_key      INTEGER NOT NULL REFERENCES node,
    start_hour    INTEGER NOT NULL,         -- the window as planned; never cut
    end_hour      INTEGER NOT NULL CHECK (end_hour > start_hour),
    user_label    TEXT NOT NULL,
    owner         TEXT,                     -- the login name; NULL in open mode
    priority      INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 2),  -- low, medium, high
    status        INTEGER NOT NULL CHECK (status BETWEEN 0 AND 2),    -- active, completed, cancelled
    note          TEXT,
    series_id     INTEGER,                  -- the first booking of its series
    version       INTEGER NOT NULL,         -- 1, and one more with each edit
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    released_at   INTEGER,                  -- when it was completed or cancelled
    release_token TEXT,
    -- How long it is, roughly: bookings of one class and start lie close together (see booking_by_class).
    length_class  INTEGER NOT NULL GENERATED ALWAYS AS (CASE
        WHEN end_hour - start_hour <= 8 THEN 0 WHEN end_hour - start_hour <= 64 THEN 1
        WHEN end_hour - start_hour <= 512 THEN 2 WHEN end_hour - start_hour <= 4096 THEN 3 ELSE 4 END) VIRTUAL
) STRICT;

-- Which bookings touch a window [s, e): those of a class no longer than L that start in (s - L, e). One range a class,
-- wherever in the calendar the window lies.
CREATE INDEX booking_by_class ON booking (node_key, length_class, start_hour, end_hour);
-- What one person has: their list by id, and what is ahead of them for the limit on it.
CREATE INDEX booking_by_label ON booking (user_label);
CREATE INDEX booking_by_owner ON booking (owner) WHERE owner IS NOT NULL;
CREATE INDEX booking_active_by_label ON booking (user_label, end_hour) WHERE status = 0;
CREATE INDEX booking_active_by_owner ON booking (owner, end_hour) WHERE status = 0 AND owner IS NOT NULL;
-- How many have ended, and how. A new booking does not touch it.
CREATE INDEX booking_ended ON booking (status) WHERE status <> 0;

-- What was booked; never cut.
CREATE TABLE booking_gpu (
    booking_id  INTEGER NOT NULL REFERENCES booking,
    gpu_key     INTEGER NOT NULL REFERENCES gpu,
    PRIMARY KEY (booking_id, gpu_key)
) STRICT, WITHOUT ROWID;

-- Hours that a GPU is, or was, held, whatever became of the booking. Rows of one GPU never overlap; that is what makes
-- one index step enough to find a conflict: the last row that starts before the wanted end.
CREATE TABLE allocation (
    gpu_key     INTEGER NOT NULL REFERENCES gpu,
    start_hour  INTEGER NOT NULL,
    end_hour    INTEGER NOT NULL CHECK (end_hour > start_hour),
    booking_id  INTEGER NOT NULL REFERENCES booking,
    free_from   INTEGER NOT NULL DEFAULT -17259888,  -- the end of the GPU's row before, or the first hour of all (year 1);
                                                     -- kept by the triggers below
    PRIMARY KEY (gpu_key, start_hour)
) STRICT, WITHOUT ROWID;

-- Free hours before a row, by their length: who looks for a day does not read past a thousand gaps of an hour.
CREATE INDEX allocation_free_1 ON allocation (gpu_key, start_hour, free_from) WHERE start_hour - free_from >= 1;
CREATE INDEX allocation_free_8 ON allocation (gpu_key, start_hour, free_from) WHERE start_hour - free_from >= 8;
CREATE INDEX allocation_free_64 ON allocation (gpu_key, start_hour, free_from) WHERE start_hour - free_from >= 64;

-- The wall behind the check: whoever writes, however wrong, cannot book an hour twice.
CREATE TRIGGER allocation_insert BEFORE INSERT ON allocation
WHEN (SELECT end_hour FROM allocation
       WHERE gpu_key = NEW.gpu_key AND start_hour < NEW.end_hour
       ORDER BY start_hour DESC LIMIT 1) > NEW.start_hour
BEGIN
    SELECT RAISE(ABORT, 'allocation overlaps');
END;

CREATE TRIGGER allocation_update BEFORE UPDATE OF gpu_key, start_hour, end_hour ON allocation
WHEN (SELECT end_hour FROM allocation
       WHERE gpu_key = NEW.gpu_key AND start_hour < NEW.end_hour
         AND NOT (gpu_key = OLD.gpu_key AND start_hour = OLD.start_hour)
       ORDER BY start_hour DESC LIMIT 1) > NEW.start_hour
BEGIN
    SELECT RAISE(ABORT, 'allocation overlaps');
END;

-- A row's own place never changes: one that moves is deleted and made anew.
CREATE TRIGGER allocation_move BEFORE UPDATE OF gpu_key, start_hour ON allocation
BEGIN
    SELECT RAISE(ABORT, 'allocation moves');
END;

-- What is free: free_from of each row and held_until of its GPU, whoever writes. One who knows the row before says so; what
-- they say is put right all the same.
CREATE TRIGGER allocation_inserted AFTER INSERT ON allocation
WHEN NEW.free_from <> coalesce((SELECT end_hour FROM allocation WHERE gpu_key = NEW.gpu_key AND start_hour < NEW.start_hour
                                 ORDER BY start_hour DESC LIMIT 1), -17259888)
BEGIN
    UPDATE allocation
       SET free_from = coalesce((SELECT end_hour FROM allocation WHERE gpu_key = NEW.gpu_key AND start_hour < NEW.start_hour
                                  ORDER BY start_hour DESC LIMIT 1), -17259888)
     WHERE gpu_key = NEW.gpu_key AND start_hour = NEW.start_hour;
END;

CREATE TRIGGER allocation_inserted_next AFTER INSERT ON allocation
BEGIN
    UPDATE allocation SET free_from = NEW.end_hour
     WHERE gpu_key = NEW.gpu_key
       AND start_hour = (SELECT min(start_hour) FROM allocation WHERE gpu_key = NEW.gpu_key AND start_hour > NEW.start_hour);
    UPDATE gpu SET held_until = NEW.end_hour WHERE gpu_key = NEW.gpu_key AND held_until < NEW.end_hour;
END;

CREATE TRIGGER allocation_updated AFTER UPDATE OF end_hour ON allocation
BEGIN
    UPDATE allocation SET free_from = NEW.end_hour
     WHERE gpu_key = NEW.gpu_key
       AND start_hour = (SELECT min(start_hour) FROM allocation WHERE gpu_key = NEW.gpu_key AND start_hour > NEW.start_hour);
    UPDATE gpu SET held_until = NEW.end_hour WHERE gpu_key = NEW.gpu_key AND held_until = OLD.end_hour;
END;

CREATE TRIGGER allocation_deleted AFTER DELETE ON allocation
BEGIN
    UPDATE allocation
       SET free_from = coalesce((SELECT end_hour FROM allocation WHERE gpu_key = OLD.gpu_key AND start_hour < OLD.start_hour
                                  ORDER BY start_hour DESC LIMIT 1), -17259888)
     WHERE gpu_key = OLD.gpu_key
       AND start_hour = (SELECT min(start_hour) FROM allocation WHERE gpu_key = OLD.gpu_key AND start_hour > OLD.start_hour);
    UPDATE gpu
       SET held_until = coalesce((SELECT end_hour FROM allocation WHERE gpu_key = OLD.gpu_key
                                   ORDER BY start_hour DESC LIMIT 1), -17259888)
     WHERE gpu_key = OLD.gpu_key AND held_until = OLD.end_hour;
END;

-- What happened, by whom. The last id is the revision of all that is kept here.
CREATE TABLE event (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    actor       TEXT NOT NULL,              -- '' when nobody said
    claimed     INTEGER NOT NULL CHECK (claimed IN (0, 1)),  -- 1: the client says so, nobody verified it
    kind        TEXT NOT NULL,
    booking_id  INTEGER REFERENCES booking,
    detail      TEXT                        -- a JSON object
) STRICT;

-- The history of one booking.
CREATE INDEX event_by_booking ON event (booking_id) WHERE booking_id IS NOT NULL;

-- Answers to Idempotency-Key: successes only, kept for seven days.
CREATE TABLE request (
    actor       TEXT NOT NULL,
    claimed     INTEGER NOT NULL,
    key         TEXT NOT NULL,
    at          INTEGER NOT NULL,
    body        BLOB NOT NULL,
    status      INTEGER NOT NULL,
    answer      BLOB NOT NULL,
    PRIMARY KEY (actor, claimed, key)
) STRICT;

CREATE INDEX request_by_age ON request (at);

CREATE TABLE config (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    epoch       TEXT NOT NULL,              -- random; renewed by a restore
    revision    INTEGER NOT NULL,           -- the event that accepted the text; 0 before the first
    text        TEXT                        -- the accepted configuration file
) STRICT;
