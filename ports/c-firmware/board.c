/* What the board needs before C runs, and a voice: semihosting, by which the emulator prints and ends. */
#include "board.h"

extern uint32_t data_start[], data_end[], data_image[], bss_start[], bss_end[];
/* No function, but the vector table takes nothing else. */
extern void stack_top(void);

static void stop(void) {
  finish(1);
}

void reset(void) {
  const uint32_t *from = data_image;
  for (uint32_t *to = data_start; to < data_end;) *to++ = *from++;
  for (uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
  main();
  finish(1);
}

/* The sixteen vectors of the core; whatever is not expected ends the run. */
__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    stack_top, reset, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop,
    stop, tick,
};

static uint32_t semihost(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void say(const char *text) {
  (void)semihost(4, text);
}

void finish(uint32_t code) {
  const uint32_t reason[2] = {0x20026, code};
  (void)semihost(0x20, reason);
  for (;;) {
  }
}

void start_ticking(uint32_t cycles) {
  volatile uint32_t *const systick = (uint32_t *)0xE000E010;
  systick[1] = cycles - 1;
  systick[2] = 0;
  systick[0] = 7;
}

void stop_ticking(void) {
  *(volatile uint32_t *)0xE000E010 = 0;
}
