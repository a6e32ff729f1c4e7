#include <string.h>

#include "nginx/conf.h"
#include "nginx/folder.h"

#include "common/banned.h"

/*
 * What nginx itself refuses, it refuses in our form (API.md, "Errors"). The refusals come by path and not by named location, for nginx
 * cannot redirect a request whose line it could not read to a named one. 494 is nginx's own number for oversized header fields.
 */
static const struct refusal {
    int status, shown;
    const char *sentence;
} refusals[] = {
    {400, 400, "The request is not valid HTTP"},
    {403, 403, "There is nothing to see here"},
    {404, 404, "There is no such page"},
    {405, 405, "This method is not allowed here"},
    {412, 412, "The page is not in the state that the request asks for"},
    {413, 413, "The request body is larger than 1 MiB"},
    {414, 414, "The request line is too long"},
    {416, 416, "The page does not have the range that was asked for"},
    {494, 431, "The request header fields are too large"},
    {500, 500, "The web server could not answer; its log says why"},
    {501, 501, "This transfer encoding is not supported"},
    {502, 502, "The planner did not answer; try again"},
    {503, 503, "The planner is busy; try again"},
    {504, 504, "The planner took too long to answer"},
    {505, 505, "This version of HTTP is not supported"},
};

/* Said to whoever comes by another name than this machine's own: a page elsewhere whose name was made to point here (DNS rebinding). */
#define MISDIRECTED "Open ProcPlan as localhost, 127.0.0.1 or [::1]; it answers to no other name here"

static const char head[] =
    "daemon off;\n"
    "pid nginx.pid;\n"
    "error_log stderr;\n"
    "worker_processes 2;\n";

static const char http[] =
    "events {\n"
    "    worker_connections 1024;\n"
    "}\n"
    "http {\n"
    "    access_log off;\n"
    "    server_tokens off;\n"
    "    client_body_temp_path body_temp;\n"
    "    fastcgi_temp_path fastcgi_temp;\n"
    "    proxy_temp_path proxy_temp;\n"
    "    scgi_temp_path scgi_temp;\n"
    "    uwsgi_temp_path uwsgi_temp;\n"
    "    types {\n"
    "        text/html html;\n"
    "        text/css css;\n"
    "        text/javascript js mjs;\n"
    "        text/plain txt;\n"
    "        application/json json map;\n"
    "        application/manifest+json webmanifest;\n"
    "        image/svg+xml svg;\n"
    "        image/png png;\n"
    "        image/x-icon ico;\n"
    "        font/woff2 woff2;\n"
    "    }\n"
    "    default_type application/octet-stream;\n"
    "    charset utf-8;\n"
    "    charset_types text/css text/javascript text/plain;\n"
    "    sendfile on;\n"
    "    tcp_nopush on;\n"
    "    keepalive_timeout 65s;\n"
    /* A graceful end waits for connections on which nothing was asked yet, such as browsers open ahead of need. */
    "    client_header_timeout 5s;\n"
    "    client_body_timeout 30s;\n"
    "    client_max_body_size 1m;\n"
    "    large_client_header_buffers 4 16k;\n"
    "    gzip on;\n"
    "    gzip_comp_level 1;\n"
    "    gzip_min_length 1000;\n"
    "    gzip_vary on;\n"
    "    gzip_types application/json text/css text/javascript text/plain text/csv text/calendar image/svg+xml;\n"
    "\n"
    /* Connections are not kept: a worker that is held by one accepts no other. */
    "    fastcgi_next_upstream off;\n"
    "    fastcgi_read_timeout 60s;\n" /* above the pool's deadline, which gives the better answer */
    "    fastcgi_buffers 256 16k;\n"
    "    fastcgi_buffer_size 16k;\n"
    "    fastcgi_param REQUEST_METHOD $request_method;\n"
    "    fastcgi_param QUERY_STRING $query_string;\n"
    "    fastcgi_param CONTENT_TYPE $content_type;\n"
    "    fastcgi_param CONTENT_LENGTH $content_length;\n"
    "    fastcgi_param SCRIPT_NAME \"\";\n"
    "    fastcgi_param PATH_INFO $uri;\n"
    "    fastcgi_param REQUEST_URI $request_uri;\n"
    "    fastcgi_param REQUEST_SCHEME $scheme;\n"
    "    fastcgi_param HTTPS $https if_not_empty;\n"
    "    fastcgi_param SERVER_PROTOCOL $server_protocol;\n"
    "    fastcgi_param REMOTE_ADDR $remote_addr;\n"
    "    fastcgi_param PROCPLAN_REQUEST_ID $request_id;\n"
    /* Nobody has proved who he is to this nginx, whatever an Authorization header says. */
    "    fastcgi_param REMOTE_USER \"\";\n"
    "    fastcgi_param HTTP_AUTHORIZATION \"\";\n"
    "    fastcgi_param HTTP_PROXY \"\";\n";

/* An add_header in a location drops the inherited ones, so each location has all of its own. */
static const char locations[] =
    "        location /api/ {\n"
    "            fastcgi_pass unix:" CONF_SOCKET_NAME ";\n"
    "        }\n"
    "        location = /api {\n"
    "            fastcgi_pass unix:" CONF_SOCKET_NAME ";\n"
    "        }\n"
    "        location / {\n"
    "            root " WEB_ROOT_NAME ";\n"
    "            add_header Cache-Control no-cache always;\n"
    "            add_header X-Content-Type-Options nosniff always;\n"
    "            add_header Referrer-Policy same-origin always;\n"
    "            add_header Content-Security-Policy \"default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\" always;\n"
    "        }\n";

static void refusal_location(struct buffer *out, int status, const char *sentence)
{
    buffer_printf(out,
                  "            default_type application/json;\n"
                  "            add_header Cache-Control no-store always;\n"
                  "            add_header X-Content-Type-Options nosniff always;\n"
                  "            add_header Referrer-Policy same-origin always;\n"
                  "            add_header Content-Security-Policy \"default-src 'none'; frame-ancestors 'none'\" always;\n"
                  "            return %d '{\"error\": \"%s\", \"status\": %d}\\n';\n"
                  "        }\n",
                  status, sentence, status);
}

/* Opens a server{} that answers what nginx refuses in our form. */
static void server_begin(struct buffer *out, const struct listen *listen, const char *options)
{
    const size_t count = sizeof(refusals) / sizeof(refusals[0]);

    buffer_printf(out, "\n    server {\n        listen %s%s;\n", listen->address, options);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "        error_page %d =%d /.refused/%d;\n", refusals[i].status, refusals[i].shown,
                      refusals[i].shown);
    for (size_t i = 0; i < count; i++) {
        buffer_printf(out, "        location = /.refused/%d {\n            internal;\n", refusals[i].shown);
        refusal_location(out, refusals[i].shown, refusals[i].sentence);
    }
}

/* A directory service may give users names with a backslash in them. */
static void quoted(struct buffer *out, const char *text)
{
    buffer_append_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_char(out, '\\');
        buffer_append_char(out, *text);
    }
    buffer_append_char(out, '"');
}

void conf_write(struct buffer *out, const struct listen *listen, const struct account *account)
{
    const char *options = listen->dual_stack ? " default_server ipv6only=off" : " default_server";

    buffer_append_text(out, head);
    if (account->drop) {
        buffer_append_text(out, "user ");
        quoted(out, account->name);
        buffer_append_char(out, ' ');
        quoted(out, account->group);
        buffer_append_text(out, ";\n");
    }
    buffer_append_text(out, http);
    server_begin(out, listen, options);
    if (listen->loopback) {
        buffer_append_text(out, "        location / {\n");
        refusal_location(out, 421, MISDIRECTED);
        buffer_append_text(out, "    }\n");
        server_begin(out, listen, "");
        buffer_append_text(out, "        server_name localhost 127.0.0.1 [::1]");
        if (strcmp(listen->host, "127.0.0.1") != 0 && strcmp(listen->host, "[::1]") != 0)
            buffer_printf(out, " %s", listen->host);
        buffer_append_text(out, ";\n");
    }
    buffer_append_text(out, locations);
    buffer_append_text(out, "    }\n}\n");
}
