/** How many times longer than on a usual machine whatever is waited for may take: BERTH_TEST_PATIENCE, 1 by default. */
const factor = Number(process.env['BERTH_TEST_PATIENCE'] ?? 1)

/** A bound of a wait for this machine: `ms` is what a usual one is given. */
export const patience = (ms: number): number => ms * factor
