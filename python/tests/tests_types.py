"""The types that the tests and their peers share."""

import strait


@strait.message
class Torque:
    axis: strait.u32
    newton_metres: strait.f32


@strait.message
class Gains:
    version: strait.u64
    table: strait.f64 * 4
    last: Torque


PLAN = strait.Plan(
    [
        strait.frames("log", 65536, 1024),
        strait.frames("small", 256, 64),
        strait.frames("answers", 65536, 1024),
        strait.slots("torque", 64, Torque),
        strait.compact("ticks", 8, strait.u32),
        strait.latest("state", Torque),
        strait.latest_bytes("text", 100),
        strait.mutex("gains", Gains),
        strait.semaphore("signals", 0, 3),
        strait.permits("cranes", 2),
    ]
)
