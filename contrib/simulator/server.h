/* server.h - the HTTP server on loopback. */
#ifndef KINOFS_CONTRIB_SIMULATOR_SERVER_H
#define KINOFS_CONTRIB_SIMULATOR_SERVER_H

/* Listens on sim.port (0: any) and sets sim.port and sim.base. 0, or -1 with a line on stderr. */
int server_start(void);
/* Ends every connection. Returns when no handler runs any more. */
void server_stop(void);

/* Connections waiting without an answer (park.c). */
struct MHD_Connection;
int park_start(void); /* 0 or -errno */
/* Suspends the connection; it is resumed after so many seconds (negative: never), when its client
 * has gone, or at the end. False: the server is ending, nothing was done. */
_Bool park_connection(struct MHD_Connection *connection, double seconds);
void park_stop(void); /* resumes all; none is parked from then on */

#endif
