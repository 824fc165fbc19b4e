/* The one place that says which version this is: every --version, man page and page prints it; and where it is installed. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define VIGIE_VERSION "0.1.0"

/* Where `make install` puts what programs serve; the Makefile gives that of its PREFIX. */
#ifndef VIGIE_SHARE
#define VIGIE_SHARE "/usr/local/share/vigie"
#endif

#endif
