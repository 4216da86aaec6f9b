/* The board, as main.c sees it. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Called at each tick of the core's timer, in an interrupt. */
void tick(void);
int main(void);
void reset(void);

/* Prints a text. */
void say(const char *text);
/* Ends the run: 0 is success. */
void finish(uint32_t code);
/* Ticks every so many cycles of the core. */
void start_ticking(uint32_t cycles);
void stop_ticking(void);

#endif
