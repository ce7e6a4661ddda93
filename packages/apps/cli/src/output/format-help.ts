const kinds = `'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`

/** The help of `--format` where the output is a table by default. */
export const tableFormatHelp = `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
${kinds}`

/** The help of `--format` where there is no table. */
export const formatHelp = `Format output using a custom template:
${kinds}`
