/*
 * Tier 0: what every file may use, and what knows nothing of this program.  The one header other
 * folders include.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/embed.h"
#include "base/encode.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/settings.h"
#include "base/str.h"

#endif
