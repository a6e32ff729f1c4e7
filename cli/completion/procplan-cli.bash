# bash completion for procplan-cli and procplan-notify. Commands and options come from --help, node ids and bookings from the planner, which
# has two seconds and is asked for nothing else; without one there is simply nothing to choose.
# What the planner sends is never expanded, and ids with more than letters, digits and . _ : - are not offered.

_procplan_words() { # words that fit what is typed
    local word
    while IFS= read -r word; do
        [[ $word == "$1"* ]] && COMPREPLY+=("$word")
    done
}

_procplan_options() { # of a command, or of the program
    "$@" --help 2>/dev/null | sed -n 's/^  .. \{0,3\}\(--[a-z][a-z-]*\).*/\1/p; s/^  \(--[a-z][a-z-]*\).*/\1/p' | sort -u
}

_procplan_column() { # the first column of what the planner lists
    "$@" --csv --timeout 2 2>/dev/null </dev/null | sed -n '1d; s/\r$//; s/^\([A-Za-z0-9._:-]*\),.*/\1/p' | sort -u
}

_procplan_cli() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' i url=()

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --url) url=(--url "${COMP_WORDS[i + 1]}") ;;
        --) [ "$command" = run ] && { compopt -o default; return; } ;;
        book | list | show | edit | extend | cancel | done | find | nodes | usage | events | watch | reload | run)
            [ -n "$command" ] || command=${COMP_WORDS[i]}
            ;;
        esac
    done
    case $before in
    --node) _procplan_words "$current" < <(_procplan_column "$program" "${url[@]}" nodes); return ;;
    --booking) _procplan_words "$current" < <(_procplan_column "$program" "${url[@]}" list --status active); return ;;
    --priority) _procplan_words "$current" < <(printf '%s\n' low medium high); return ;;
    --color) _procplan_words "$current" < <(printf '%s\n' auto always never); return ;;
    esac
    case $current in
    -*) _procplan_words "$current" < <(_procplan_options "$program" ${command:+"$command"}); return ;;
    esac
    case $command in
    '') _procplan_words "$current" < <("$program" --help 2>/dev/null | sed -n '/^Commands/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p') ;;
    show | edit | extend | cancel | done) _procplan_words "$current" < <(_procplan_column "$program" "${url[@]}" list --status active) ;;
    run) compopt -o default ;;
    esac
}

_procplan_notify() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]}

    COMPREPLY=()
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    --booking-id) _procplan_words "$current" < <(_procplan_column procplan-cli list --status active) ;;
    --token-file) compopt -o default ;;
    *) _procplan_words "$current" < <(_procplan_options "$program") ;;
    esac
}

complete -F _procplan_cli procplan-cli
complete -F _procplan_notify procplan-notify
