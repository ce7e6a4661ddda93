const wanted = process.env['BERTH_FAULT']

/** For tests: kills this process at the point that the variable BERTH_FAULT names, as kill -9 would; else does nothing. */
export const fault: (point: string) => void =
  wanted === undefined
    ? () => {}
    : (point) => {
        if (point === wanted) process.kill(process.pid, 'SIGKILL')
      }
