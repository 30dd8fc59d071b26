/// Loops in one version per instruction set. Internal to src/dnn.
#pragma once

// The compiler vectorises each loop once per instruction set; which one runs is decided when the program is loaded.
// That mechanism (ifunc) runs before the sanitizers are ready, so sanitizer builds have one version only.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define GLIMPSE_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GLIMPSE_MULTIVERSION
#endif
#define GLIMPSE_INLINE inline __attribute__((always_inline))
