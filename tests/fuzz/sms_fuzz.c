/* Any octets as a request to the SMS door: refused, asked for more of, or understood within bounds; whatever is said as a name
 * in an SMS comes out as one SMS, or as UCS-2 of three at most. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "dispatcher/sms_request.h"
#include "dispatcher/sms_words.h"
#include "wire/sms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void request(const uint8_t *data, size_t size)
{
        struct sms_request request;
        size_t used = 0;
        int r = sms_request_read((struct cbor_span){ data, size }, "0123456789abcdef", &request, &used);

        assert(r == -EAGAIN || (r >= 0 && r < 600));
        assert(r == -EAGAIN ? size < SMS_REQUEST_MAX : used <= size);
        assert((r == 0) == (request.kind != SMS_REQUEST_NONE));
        if (r != 0)
                return;
        assert(used > 0);
        assert(request.kind != SMS_REQUEST_OBJECT || (request.object.len > 0 && request.object.len <= SMS_DATA_MAX));
        assert(request.kind != SMS_REQUEST_TEXT || request.from[0] == '+');
        assert(utf8_is_valid(request.text, strlen(request.text)));
}

static void words(const uint8_t *data, size_t size)
{
        struct sms_say say = { .kind = (uint8_t)(SMS_ALERT + size % (SMS_KIND_END - SMS_ALERT)), .code = "1234" };
        struct sms_words french, english;

        snprintf(say.name, sizeof(say.name), "%.*s", (int)size, (const char *)data);
        snprintf(say.who, sizeof(say.who), "%.*s", (int)(size / 2), (const char *)data + size / 2);
        snprintf(say.zone, sizeof(say.zone), "%s", say.who);
        assert(sms_words(&say, SMS_FRENCH, &french) == 0 && sms_words(&say, SMS_ENGLISH, &english) == 0);
        assert(!french.gsm || sms_septets(french.text) <= SMS_SEPTETS_MAX);
        assert(!english.gsm || sms_septets(english.text) <= SMS_SEPTETS_MAX);
        assert(utf8_is_valid(french.text, strlen(french.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct cbor_span object;

        if (size > SMS_REQUEST_MAX)
                size = SMS_REQUEST_MAX;
        request(data, size);
        words(data, size);
        if (sms_object((struct cbor_span){ data, size }, (struct cbor_span){ NULL, 0 }, &object) == 0)
                assert(object.at >= data && object.at + object.len <= data + size);
        return 0;
}
