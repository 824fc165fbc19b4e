/* The commands: entries of {r}:commands, which all dispatchers share as one consumer group, so that each is read by
 * one of them.  An entry is acknowledged once the core has taken it over; those of a process that died are claimed by
 * another. */
#ifndef DISPATCHER_COMMANDS_H
#define DISPATCHER_COMMANDS_H

#include "dispatcher/config.h"
#include "wire/command.h"

struct loop;
struct redis_link;
struct commands;

#define COMMANDS_GROUP    "dispatchers"
/* Read at once; each is at most 512 octets. */
#define COMMANDS_PAGE     100
/* Read and not yet acknowledged: 2 s at 500 a second.  At it no more are read; other dispatchers take them. */
#define COMMANDS_HELD_MAX 1024
/* Entries that another process has held for so long are claimed; looked for that often. */
#define COMMANDS_IDLE_MS  5000

struct commands_options {
        struct loop *loop;
        const struct config *config;    /* borrowed until commands_close */
        struct redis_link *acknowledge; /* the store's: this one's own is held by BLOCK */
        void *user;
        /* One command; REF for commands_acknowledge. */
        void (*command)(void *user, const struct command *command, uint64_t ref);
};

/* commands_open: begin to connect; nothing is read before commands_start.  Returns 0, -EINVAL, -ENOMEM. 
 * commands_close: NULL does nothing. */
int commands_open(const struct commands_options *options, struct commands **ret_commands);
void commands_close(struct commands *commands);

/* commands_start, commands_stop: read, or not.  What is held when it stops is read again after the next start. */
void commands_start(struct commands *commands);
void commands_stop(struct commands *commands);

/* commands_acknowledge: this one is in the journal, or answered.  An old REF does nothing. */
void commands_acknowledge(struct commands *commands, uint64_t ref);

/* commands_malformed: entries that were no command; they are acknowledged and dropped. */
uint64_t commands_malformed(const struct commands *commands);

#endif
