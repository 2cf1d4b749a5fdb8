/* The program: a command line leads to a command, nothing else happens here. */
#include "face/cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
