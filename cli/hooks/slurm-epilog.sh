#!/bin/sh
# Slurm: gives a job's ProcPlan booking back when the job ends, also when it is cancelled, killed or out of time.
#
# slurm.conf:     Epilog=/etc/slurm/procplan-epilog.sh
# once, a folder in which every user may put a file of their own:     install -d -m 1733 /var/spool/procplan
# in the job script, with what the answer to the booking said:
#     (umask 077; echo "$PROCPLAN_BOOKING_ID $PROCPLAN_RELEASE_TOKEN" >"/var/spool/procplan/$SLURM_JOB_ID")
#
# slurmd runs this on each node of the job, as root, with few variables: so the address stands here.

url=${PROCPLAN_URL:-http://127.0.0.1:8080}
spool=${PROCPLAN_SPOOL:-/var/spool/procplan}

release() {
    file=$spool/$SLURM_JOB_ID
    # Another user could have been there first, and what a user put there may be a link or a pipe that never ends.
    if [ -L "$file" ] || [ ! -f "$file" ] || [ "$(stat -c %u "$file")" != "${SLURM_JOB_UID:-}" ]; then
        return
    fi
    read -r booking token <<EOF
$(dd if="$file" iflag=nofollow,nonblock bs=256 count=1 2>/dev/null)
EOF
    rm -f "$file"
    case "$booking$token" in '' | *[!0-9a-f]*) return ;; esac
    # Through a pipe: what stands on a command line is seen by everybody who can run ps. The node waits for this: not for long.
    printf '{"booking_id": "%s", "release_token": "%s"}' "$booking" "$token" |
        curl -fsS -o /dev/null --max-time 5 --retry 2 --retry-connrefused --data-binary @- "${url%/}/api/release" ||
        echo "procplan: booking $booking of job $SLURM_JOB_ID was not given back" >&2
}

[ -z "${SLURM_JOB_ID:-}" ] || release
exit 0 # anything else makes Slurm drain the node
