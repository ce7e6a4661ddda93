const [wanted, time = '1'] = process.env['BERTH_FAULT']?.split('@') ?? []
let times = Number(time)

/**
 * For tests: kills this process at the point that the variable BERTH_FAULT names, as kill -9 would; else does nothing.
 * `pull: blob@3` is the third time that it comes to that point.
 */
export const fault: (point: string) => void =
  wanted === undefined
    ? () => {}
    : (point) => {
        if (point === wanted && --times === 0) process.kill(process.pid, 'SIGKILL')
      }
