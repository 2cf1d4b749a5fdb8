/* The supervisor's state file. Private to this folder. */
#ifndef SUPERVISE_STATE_H
#define SUPERVISE_STATE_H

#include "supervise/supervise.h"

MUST_CHECK enum rc state_write(const struct house *house, const struct house_state *state, struct err *err);
/* The pid that holds the home's lock; 0: nobody. */
pid_t state_lock_holder(const struct house *house);

#endif
