/* vigie inspect: print any object, and check a COSE_Sign1. */
#ifndef OPS_VIGIE_INSPECT_H
#define OPS_VIGIE_INSPECT_H

/* inspect_main: `inspect [--key FILE.pem]... [--aad TEXT|hex:OCTETS] [FILE]`; argv[0] is "inspect".
 * Prints on stdout, what is wrong on stderr.  Returns the exit status: 0 valid (without --key: printed), 1 not valid,
 * 2 malformed, 3 could not look (wrong option, unreadable file or key). */
int inspect_main(int argc, char **argv);
#endif
