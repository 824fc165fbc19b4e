#include "device/door/list.h"

#include "base/file.h"

int list_take(struct list *list, struct cbor_span in, const struct trust *trust, uint32_t now_s, bool store)
{
        struct status_signed said;
        struct status_bits unpacked;
        uint8_t *bits = list->bits[!list->at];
        int r;

        if ((r = status_read(in, &said, NULL)) < 0 || (r = status_verify(&said, trust, now_s)) < 0)
                return r;
        if (list->status != NULL && !status_supersedes(&said.list, list->unpacked.issued_at_s))
                return 0;
        if ((r = status_unpack(&said.list, list->room, bits, &unpacked)) < 0)
                return r;
        if (store && (r = file_write(list->path, in.at, in.len, 0600)) < 0)
                return r;
        list->at = !list->at;
        list->unpacked = unpacked;
        list->status = &list->unpacked;
        return 1;
}
