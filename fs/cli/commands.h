/* commands.h - the subcommands by name, and what each says of itself. The main thread. */
#ifndef KINOFS_CLI_COMMANDS_H
#define KINOFS_CLI_COMMANDS_H

#include <stdbool.h>

/* Runs the subcommand that argv[1] names, or prints how it is used if --help is among its
 * arguments. false: it names none. */
bool command_run(int argc, char **argv, int *status);

/* The subcommand that a wrong word is a slip of; NULL: of none. */
const char *command_near(const char *word);

#endif
