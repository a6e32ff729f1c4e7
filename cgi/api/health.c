#include "cgi/api/internal.h"

#include "common/banned.h"

static bool render_health(struct call *call, void *context, struct json_writer *w)
{
    (void)call;
    (void)context;
    json_open_object(w);
    json_put_string(w, "status", "ok");
    json_close(w);
    return true;
}

/* Beginning to read has asked the database for its state: that it answers is the news. */
struct settled api_health(struct call *call)
{
    return reply_query(call, &(struct read_answer){.render = render_health});
}
