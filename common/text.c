#include "common/text.h"

#include <stdlib.h>
#include <string.h>

#include "common/banned.h"

/* RFC 3629, section 4: the second byte's range depends on the first, which shuts out overlong forms, surrogates and what
 * lies above U+10FFFF. */
size_t text_decode(const char *bytes, size_t length, uint32_t *out)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80) {
        *out = b[0];
        return 1;
    }
    if (b[0] < 0xc2 || b[0] > 0xf4)
        return 0;
    size_t need = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    if (length < need)
        return 0;
    unsigned char low = b[0] == 0xe0 ? 0xa0 : b[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = b[0] == 0xed ? 0x9f : b[0] == 0xf4 ? 0x8f : 0xbf;
    if (b[1] < low || b[1] > high)
        return 0;
    uint32_t character = b[0] & (0x7f >> need);
    for (size_t i = 1; i < need; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (b[i] & 0x3f);
    }
    *out = character;
    return need;
}

bool text_is_utf8(const char *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        if ((unsigned char)bytes[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t character;
        size_t size = text_decode(bytes + i, length - i, &character);
        if (!size)
            return false;
        i += size;
    }
    return true;
}

size_t text_characters(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return count;
}

size_t text_cut(const char *bytes, size_t length, size_t max)
{
    if (length <= max)
        return length;
    while (max > 0 && ((unsigned char)bytes[max] & 0xc0) == 0x80)
        max--;
    return max;
}

size_t text_head(const char *bytes, size_t length, size_t characters)
{
    size_t i = 0;

    /* The first byte of one character too many is where they end. */
    for (; i < length; i++)
        if (((unsigned char)bytes[i] & 0xc0) != 0x80 && characters-- == 0)
            break;
    return i;
}

static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* The character that ends at LENGTH > 0; its bytes, or 0 when it is not valid. */
static size_t decode_last(const char *bytes, size_t length, uint32_t *out)
{
    size_t start = length - 1;
    while (start > 0 && length - start < 4 && ((unsigned char)bytes[start] & 0xc0) == 0x80)
        start--;
    size_t size = text_decode(bytes + start, length - start, out);
    return size == length - start ? size : 0;
}

struct slice text_trim(const char *bytes, size_t length)
{
    uint32_t character;
    size_t size;
    while (length > 0 && (size = text_decode(bytes, length, &character)) > 0 && is_space(character)) {
        bytes += size;
        length -= size;
    }
    while (length > 0 && (size = decode_last(bytes, length, &character)) > 0 && is_space(character))
        length -= size;
    return (struct slice){bytes, length};
}

bool text_has_control(const char *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        uint32_t c;
        size_t size = text_decode(bytes + i, length - i, &c);
        if (size && (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029))
            return true;
        i += size ? size : 1;
    }
    return false;
}

static unsigned char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : (unsigned char)c;
}

size_t text_escape(const char *bytes, size_t length, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t taken = text_decode(bytes + at, length - at, &character);
        bool escape = taken == 0 || text_has_control(bytes + at, taken);
        if (taken == 0)
            taken = 1;
        if (used + (escape ? 4 * taken : taken) + 1 > size)
            break;
        for (size_t i = at; i < at + taken; i++) {
            unsigned char c = (unsigned char)bytes[i];
            if (escape) {
                memcpy(out + used, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
                used += 4;
            } else {
                out[used++] = (char)c;
            }
        }
        at += taken;
    }
    out[used] = '\0';
    return used;
}

bool text_equal_nocase(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

char *text_join(const char *first, const char *second)
{
    size_t head = strlen(first), tail = strlen(second);
    char *text = malloc(head + tail + 1);

    if (text == NULL)
        abort();
    memcpy(text, first, head);
    memcpy(text + head, second, tail + 1);
    return text;
}

/* Candidates are names of ours; a longer one is not looked at. */
#define CANDIDATE_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Bytes to insert, delete, replace or swap with their neighbour to make A of B (optimal string alignment). B is at most
 * CANDIDATE_MAX bytes. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][CANDIDATE_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= b_length; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, before[j - 2] + 1);
            row[j] = best;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

const char *text_nearest(const char *name, const char *const *candidates, size_t count)
{
    size_t length = strlen(name);
    size_t bound = length / 3 + (length % 3 != 0);
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        size_t difference = length > candidate_length ? length - candidate_length : candidate_length - length;
        /* Also what keeps a hostile name from costing anything: it must be about as long as the candidate. */
        if (candidate_length > CANDIDATE_MAX || difference > bound)
            continue;
        size_t d = distance(name, length, candidates[i], candidate_length);
        if (d > bound || (nearest && d == bound))
            continue;
        nearest = candidates[i];
        bound = d;
        if (d == 0)
            break;
    }
    return nearest;
}
