/* rate.h - creates in a sliding window of SIM_RATE_SECONDS, one window for each provider. Under
 * sim.lock. */
#ifndef KINOFS_CONTRIB_SIMULATOR_RATE_H
#define KINOFS_CONTRIB_SIMULATOR_RATE_H

#include "contrib/simulator/models.h"

void rate_see(enum provider provider);  /* a create came in, whatever becomes of it */
bool rate_full(enum provider provider); /* no more for now; counts the refusal */
void rate_use(enum provider provider);  /* one more was accepted */

unsigned int rate_most(void); /* creates seen in any window */
unsigned int rate_refused(void);
void rate_free(void);

#endif
