/* Who holds a TCP port, told from /proc. */
#ifndef NET_PORT_H
#define NET_PORT_H

#include <sys/types.h>

#include "base/base.h"

enum { PORT_HOLDER_NAME_MAX = 64 };
/* True when somebody listens on the port.  *pid is 0 and name "" when /proc does not tell who. */
bool port_holder(int port, pid_t *pid, char name[static PORT_HOLDER_NAME_MAX]);
/* RC_EXISTS with the words "port 9092 is taken by 'java' (pid 812); stop it or use --port-offset". */
enum rc port_taken(int port, struct err *err);

#endif
