#include "device/door/pcsc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <winscard.h>

/* Names of all readers of a machine: pcscd has at most 16 of 128 octets. */
#define NAMES_SIZE (16 * MAX_READERNAME)

struct pcsc {
        const char *wanted;
        SCARDCONTEXT context;
        SCARDHANDLE card;
        DWORD protocol;
        char reader[MAX_READERNAME + 1];
        SCARD_READERSTATE state;
        DWORD seen; /* insertions so far, as pcscd counts them: the one that had its contact */
        bool has_context, has_card, has_seen;
};

int pcsc_open(const char *reader, struct pcsc **ret_pcsc)
{
        struct pcsc *p = calloc(1, sizeof(*p));

        if (p == NULL)
                return -ENOMEM;
        p->wanted = reader;
        *ret_pcsc = p;
        return 0;
}

/* lost: pcscd or the reader is gone: begin anew at the next wait. */
static int lost(struct pcsc *p, int error)
{
        if (p->has_context)
                SCardReleaseContext(p->context);
        p->has_context = p->has_card = p->has_seen = false;
        p->reader[0] = 0;
        return error;
}

static int error_of(struct pcsc *p, LONG r)
{
        switch (r) {
        case SCARD_E_TIMEOUT:
        case SCARD_E_CANCELLED:
                return 0;
        case SCARD_E_UNKNOWN_READER:
        case SCARD_E_READER_UNAVAILABLE:
        case SCARD_E_NO_READERS_AVAILABLE:
                return lost(p, -ENODEV);
        case SCARD_E_NO_SERVICE:
        case SCARD_E_SERVICE_STOPPED:
        case SCARD_E_INVALID_HANDLE:
        case SCARD_F_COMM_ERROR:
        case SCARD_F_INTERNAL_ERROR:
                return lost(p, -EHOSTDOWN);
        default:
                return -EIO;
        }
}

/* reader_find: the first reader whose name has what is wanted in it. */
static int reader_find(struct pcsc *p)
{
        char names[NAMES_SIZE] = "";
        DWORD size = sizeof(names) - 1;
        LONG r = SCardListReaders(p->context, NULL, names, &size);

        if (r == SCARD_E_INSUFFICIENT_BUFFER)
                return -ENODEV;
        if (r != SCARD_S_SUCCESS)
                return lost(p, r == SCARD_E_NO_READERS_AVAILABLE ? -ENODEV : -EHOSTDOWN);
        for (const char *name = names; name[0] != 0; name += strlen(name) + 1)
                if (strstr(name, p->wanted) != NULL && strlen(name) < sizeof(p->reader)) {
                        strcpy(p->reader, name);
                        memset(&p->state, 0, sizeof(p->state));
                        p->state.szReader = p->reader;
                        p->state.dwCurrentState = SCARD_STATE_UNAWARE;
                        return 0;
                }
        return -ENODEV;
}

static int start(struct pcsc *p)
{
        if (!p->has_context) {
                if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &p->context) != SCARD_S_SUCCESS)
                        return -EHOSTDOWN;
                p->has_context = true;
        }
        return p->reader[0] != 0 ? 0 : reader_find(p);
}

/* connect_card: to the phone that lies there.  One that is pulled at once is no error. */
static int connect_card(struct pcsc *p)
{
        LONG r = SCardConnect(p->context, p->reader, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                              &p->card, &p->protocol);
        int error;

        if (r != SCARD_S_SUCCESS) {
                error = error_of(p, r);
                return error == -EIO ? 0 : error;
        }
        p->has_card = true;
        return 1;
}

int pcsc_wait(struct pcsc *p, unsigned timeout_ms)
{
        DWORD insertion;
        LONG r;
        int error = start(p);

        if (error < 0)
                return error;
        r = SCardGetStatusChange(p->context, timeout_ms, &p->state, 1);
        if (r != SCARD_S_SUCCESS)
                return error_of(p, r);
        p->state.dwCurrentState = p->state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
        if ((p->state.dwEventState & (SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE)) != 0)
                return lost(p, -ENODEV);
        insertion = p->state.dwEventState >> 16;
        if ((p->state.dwEventState & SCARD_STATE_PRESENT) == 0 || (p->has_seen && p->seen == insertion))
                return 0;
        p->has_seen = true;
        p->seen = insertion;
        return connect_card(p);
}

int pcsc_transmit(struct pcsc *p, struct cbor_span command, uint8_t *answer, size_t size)
{
        const SCARD_IO_REQUEST *form = p->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
        DWORD len = size;
        LONG r = p->has_card ? SCardTransmit(p->card, form, command.at, command.len, NULL, answer, &len)
                             : SCARD_E_NO_SMARTCARD;
        int error;

        if (r == SCARD_S_SUCCESS)
                return (int)len;
        error = error_of(p, r);
        return error < 0 ? error : -EIO;
}

void pcsc_release(struct pcsc *p)
{
        /* left powered: a reader that is told to begin anew finds the phone that still lies there once more */
        if (p->has_card)
                SCardDisconnect(p->card, SCARD_LEAVE_CARD);
        p->has_card = false;
}

const char *pcsc_reader(const struct pcsc *p)
{
        return p->reader;
}

void pcsc_close(struct pcsc *p)
{
        if (p == NULL)
                return;
        pcsc_release(p);
        lost(p, 0);
        free(p);
}
