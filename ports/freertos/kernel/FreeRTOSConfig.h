/* FreeRTOS on mps2-an385, for the programs in ../src. */
#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include <stdint.h>

#define configCPU_CLOCK_HZ 25000000
#define configTICK_RATE_HZ 1000
#define configTICK_TYPE_WIDTH_IN_BITS TICK_TYPE_WIDTH_32_BITS
#define configSTACK_DEPTH_TYPE uint32_t
#define configMINIMAL_STACK_SIZE 256
#define configMAX_PRIORITIES 8
#define configTOTAL_HEAP_SIZE (256 * 1024)
#define configUSE_PREEMPTION 1
#define configUSE_TIME_SLICING 1
#define configUSE_IDLE_HOOK 0
#define configUSE_TICK_HOOK 1

/* Notification 0 is the application's, 1 is strait's. */
#define configUSE_TASK_NOTIFICATIONS 1
#define configTASK_NOTIFICATION_ARRAY_ENTRIES 2

/* strait has its own. */
#define configUSE_MUTEXES 0
#define configUSE_TIMERS 0

/* Interrupts of these priorities and less urgent ones may call the kernel. */
#define configKERNEL_INTERRUPT_PRIORITY 0xFF
#define configMAX_SYSCALL_INTERRUPT_PRIORITY 0x20

#define INCLUDE_vTaskDelay 1
#define INCLUDE_vTaskPrioritySet 1
#define INCLUDE_uxTaskPriorityGet 1
#define INCLUDE_xTaskGetCurrentTaskHandle 1

void kernel_assert_failed(uint32_t line);
#define configASSERT(holds) do { if (!(holds)) kernel_assert_failed(__LINE__); } while (0)

/* The names of the runtime's vector table. */
#define vPortSVCHandler SVCall
#define xPortPendSVHandler PendSV
#define xPortSysTickHandler SysTick

#endif
