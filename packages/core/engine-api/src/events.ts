/** One line of `GET /events`. */
export interface EventMessage {
  /** These three repeat Action, Actor.ID and the image, for containers and images only. */
  status?: string
  id?: string
  from?: string
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  scope: string
  /** Seconds since the epoch. */
  time: number
  /** Nanoseconds; beyond what a JavaScript number holds exactly. */
  timeNano: number
}
