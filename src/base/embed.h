/*
 * A file of the build machine inside the program: EMBED(swagger_css, "/…/swagger-ui.css") defines
 * swagger_css[] and swagger_css_end[]; EMBED_STR(swagger_css) is its view.  The bytes lie in the
 * read-only part of the program: pages nobody asks for are never loaded.
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include "base/str.h"

#define EMBED(symbol, path)                                                                                            \
    __asm__(".pushsection .rodata\n.balign 16\n.global " #symbol "\n" #symbol ":\n.incbin \"" path                     \
            "\"\n.global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.popsection\n");                                  \
    extern const char symbol[], symbol##_end[]
#define EMBED_STR(symbol) str_n(symbol, (size_t)(symbol##_end - symbol))

#endif
