/* at_line: one line that a modem says, understood (3GPP TS 27.007, TS 27.005, V.250).  Pure. */
#ifndef DEVICE_HANDSET_HOST_AT_LINE_H
#define DEVICE_HANDSET_HOST_AT_LINE_H

#include <stdbool.h>

/* The name of a memory with its NUL: "SM", "ME" ...  TS 27.005 3.2.3 has two letters. */
#define AT_MEMORY_SIZE 8

enum at_line_kind {
        AT_LINE_OTHER, /* means nothing to us */
        AT_LINE_OK,
        AT_LINE_ERROR,   /* cme, cms: its number, 0 none */
        AT_LINE_NETWORK, /* answer: of +CREG?, +CEREG?; else it has told by itself.  yes: registered */
        AT_LINE_PIN,     /* yes: nothing is wanted; locked: a PIN or PUK is */
        AT_LINE_NEWS,    /* memory, index: of a message that came in */
        AT_LINE_LISTED,  /* index: of the message whose PDU is the next line; +CMGL */
        AT_LINE_READ,    /* the same, +CMGR */
        AT_LINE_HEX      /* hex digits alone: a PDU */
};

struct at_line {
        enum at_line_kind kind;
        bool yes, locked, answer;
        unsigned cme, cms, index;
        char memory[AT_MEMORY_SIZE];
};

/* at_line_read: understand LINE, without its end.  What is malformed is AT_LINE_OTHER, but an error without a number that
 * can be read, which is an error. */
struct at_line at_line_read(const char *line);

#endif
