#!/bin/sh
# Gives a ProcPlan booking back when this script ends: after its last line, on `exit`, and on TERM, INT and HUP.
#
# Copy these lines to the top of a job script, or name this file there:   . /path/to/trap.sh
#
# It reads PROCPLAN_URL (where the planner is), PROCPLAN_BOOKING_ID and PROCPLAN_RELEASE_TOKEN: both came in the
# answer to the booking. Without a token it uses mark_done. The script's exit status stays what it was.
#
# The shell runs a trap only when the command in front of it has ended. To be faster, run it as  command & wait $!

procplan_release() {
    path=mark_done
    [ -z "${PROCPLAN_RELEASE_TOKEN:-}" ] || path=release
    # Through a pipe: what stands on a command line is seen by everybody who can run ps.
    printf '{"booking_id": "%s", "release_token": "%s"}' "$PROCPLAN_BOOKING_ID" "${PROCPLAN_RELEASE_TOKEN:-}" |
        curl -fsS -o /dev/null --max-time 10 --retry 5 --retry-connrefused --data-binary @- "${PROCPLAN_URL%/}/api/$path" ||
        echo "booking $PROCPLAN_BOOKING_ID was not given back; do it at ${PROCPLAN_URL%/}/" >&2
}
trap procplan_release EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
