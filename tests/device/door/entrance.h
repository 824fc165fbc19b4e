/* An entrance for tests: device/door/entrance.h in a folder of its own, in front of the region that tests/wire/door.h
 * draws. */
#ifndef TESTS_DEVICE_DOOR_ENTRANCE_H
#define TESTS_DEVICE_DOOR_ENTRANCE_H
#include "tests/base/folder.h"
#include "tests/device/door/phone.h"

#include "device/door/entrance.h"

struct post {
        struct door region;
        struct phone phone;
        struct folder folder;
        struct entrance entrance;
        struct chain_options options;
        struct pass_verdict verdict;
        bool opened;
        unsigned opens;
        uint32_t clock_s;
        struct bytes hello;
        char why[160];
};

static inline int post_opens(void *user)
{
        struct post *p = user;

        p->opens++;
        return 0;
}

/* post_start: the process begins, with what is in its files. */
static inline int post_start(struct post *p)
{
        struct entrance *e = &p->entrance;
        char path[128];
        struct key *lock;
        uint8_t pem[KEY_PEM_MAX];

        memset(e, 0, sizeof(*e));
        e->chain.fd = e->chain.lock_fd = -1;
        e->crypto = p->region.crypto;
        e->trust = p->region.trust;
        e->mandate = p->region.mandate;
        memcpy(e->mandate_signed, p->region.signed_mandate.at, p->region.signed_mandate.len);
        e->mandate_len = p->region.signed_mandate.len;
        assert_int_equal(key_to_pem(p->region.lock, true, (char *)pem, sizeof(pem)), 0);
        assert_int_equal(key_from_pem((struct cbor_span){ pem, strlen((char *)pem) }, &lock), 0);
        e->key = lock; /* a key of its own: the entrance frees it */
        e->open = post_opens;
        e->open_user = p;
        strcpy(e->list.path, folder_file(&p->folder, "status", path));
        e->list.unpacked = p->region.status;
        e->list.status = &e->list.unpacked;
        return entrance_start(e, &p->options, p->why);
}

static inline void post_stop(struct post *p)
{
        entrance_close(&p->entrance);
}

static inline void post_make(struct post *p, uint8_t class)
{
        memset(p, 0, sizeof(*p));
        door_open(&p->region, BUILDINGS, class);
        phone_make(&p->phone, &p->region, NOW_S);
        folder_make(&p->folder);
        strcpy(p->options.folder, p->folder.path);
        p->options.files = 3;
        p->clock_s = NOW_S;
}

static inline void post_remove(struct post *p)
{
        post_stop(p);
        folder_remove(&p->folder);
        door_close(&p->region);
}

/* post_show: the entrance judges PRESENTATION, for its last hello where it is NFC.  Returns the refusal, or a negative
 * errno. */
static inline int post_show(struct post *p, struct cbor_span presentation)
{
        struct entrance_shown shown = { presentation, { NULL, 0 }, p->clock_s };
        int r;

        if (p->entrance.mandate.class == DOOR_NFC)
                shown.hello = span_of(&p->hello);
        r = entrance_judge(&p->entrance, &shown, &p->verdict, &p->opened);
        return r < 0 ? r : (int)p->verdict.refusal;
}

static inline void post_hello(struct post *p)
{
        SIGNED(&p->hello, entrance_hello(&p->entrance, p->clock_s, &w));
}

/* post_visit: the phone comes with a fresh proof.  Returns as post_show does. */
static inline int post_visit(struct post *p)
{
        struct cbor_span none = { NULL, 0 };

        post_hello(p);
        phone_prove(&p->phone, p->entrance.mandate.class == DOOR_NFC ? span_of(&p->hello) : none,
                    p->entrance.mandate.class, p->region.here);
        return post_show(p, span_of(&p->phone.presentation));
}
#endif
