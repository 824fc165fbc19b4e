/* SANITIZED: 1 in a build with the address sanitizer, else 0.  Long exhaustive tests are whole in the builds without it, and
 * thinned where it makes them several times slower. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
