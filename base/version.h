/* The one place that says which version this is: every --version, man page and page prints it. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define VIGIE_VERSION "0.1.0"

#endif
