#!/bin/sh
# Reads the #include lines of the tree and holds them against the table "Who may include whom" of DESIGN.md. A line that
# breaks it is printed under the sentence it breaks. A file that no rule knows is a fault too, so that a new folder gets one.
# The programs in single quotes are awk's.
# shellcheck disable=SC2016
set -u
cd "${PROCPLAN_SOURCE:-$(dirname "$0")/../..}" || exit 1

folders=
for folder in common cgi nginx cli; do
    if [ -d "$folder" ]; then folders="$folders $folder"; fi
done
# Each line: the file, and what it includes with its quotes or angle brackets.
# shellcheck disable=SC2086
includes=$(find $folders -name '*.[ch]' | LC_ALL=C sort | xargs awk '
    /^[ \t]*#[ \t]*include/ { sub(/^[ \t]*#[ \t]*include[ \t]*/, ""); print FILENAME, $1 }')
# What is ours: all in double quotes, and our folders in angle brackets.
ours='"|<(common|cgi|nginx|cli)/'

count=0
result() { # the sentence; the lines that break it
    count=$((count + 1))
    if [ -z "$2" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        echo "$2" | sed 's/^/#   /'
    fi
}

select_lines() { # an awk condition, over the file ($1) and what it includes ($2)
    echo "$includes" | awk "$1"
}

known=
# The sentence; which files; which of ours they may include.
may_include() {
    known="$known|$2"
    lines=$(select_lines "\$1 ~ \"^($2)\"")
    if [ -z "$lines" ]; then lines="no file is $2"; else
        lines=$(echo "$lines" | OURS="^($ours)" MAY="^[\"<]($3)" awk '$2 ~ ENVIRON["OURS"] && $2 !~ ENVIRON["MAY"]')
    fi
    result "$1" "$lines"
}

echo "1..17"

may_include 'common includes nothing else of ours' 'common/' 'common/'
may_include 'the model includes common only' 'cgi/model[.]h' 'common/'
may_include 'the store includes common and the model' 'cgi/store/' 'common/|cgi/model[.]h|cgi/store/'
may_include 'the configuration includes common and the model' 'cgi/config[.][ch]' 'common/|cgi/model[.]h|cgi/config[.]h'
may_include 'the planner includes common, the model, the configuration and the store through its interface' \
    'cgi/planner/' 'common/|cgi/model[.]h|cgi/config[.]h|cgi/store/store[.]h|cgi/planner/'
may_include 'http includes common only' 'cgi/http/' 'common/|cgi/http/'
may_include 'the api includes http, planner, configuration, model and common, and not the store' \
    'cgi/api/' 'common/|cgi/(model|config)[.]h|cgi/(http|planner|api)/'
may_include 'worker, pool and main include common and cgi' 'cgi/(listen|main|pool|privileges|scoreboard|worker)[.]' 'common/|cgi/'
may_include 'the administrator'"'"'s program includes common, the model, how events are written, and the store through its interfaces' \
    'cgi/admin[./]' 'common/|cgi/model[.]h|cgi/planner/event[.]h|cgi/store/(store|maintenance|original)[.]h|cgi/admin/'
may_include 'what starts nginx and the pool includes common only' 'nginx/' 'common/|nginx/'
may_include 'the command line includes common and never cgi' 'cli/' 'common/|cli/'
result 'every file is in one of these parts' "$(select_lines "\$1 !~ \"^(${known#|})\"")"

result 'only the worker includes libfcgi' \
    "$(select_lines '$2 ~ /(fcgiapp|fcgi_stdio|fcgi_config|fcgimisc|fcgios|fastcgi)[.]h/ && $1 != "cgi/worker.c"')"
result 'only the store includes SQLite' "$(select_lines '$2 ~ /sqlite/ && $1 !~ "^cgi/store/"')"
result 'only cli/http.c and cli/http_url.c include libcurl' "$(select_lines '$2 ~ /curl/ && $1 !~ "^cli/http(_url)?[.]c$"')"
result 'the planner knows no JSON library' "$(select_lines '$1 ~ "^cgi/planner/" && $2 ~ /json-c|json_read|json_scan/')"

# schema.c is made from schema.sql, here when somebody builds in the tree; it has none.
# shellcheck disable=SC2086
result 'every .c file ends its includes with common/banned.h' "$(find $folders -name '*.c' ! -path cgi/store/schema.c |
    LC_ALL=C sort | while read -r file; do
    last=$(echo "$includes" | awk -v file="$file" '$1 == file { last = $2 } END { print last }')
    [ "$last" = '"common/banned.h"' ] || echo "$file ends with ${last:-nothing}"
done)"
