/** A template that cannot be parsed or executed; the message is worded as Go's text/template words it. */
export class TemplateError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TemplateError'
  }
}
