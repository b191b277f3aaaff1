/** The text between `<!-- NAME -->` and `<!-- /NAME -->` of a README. */
export const section = (readme: string, name: string): string =>
  readme.split(`<!-- ${name} -->\n`)[1]?.split(`<!-- /${name} -->`)[0] ?? ''

/** A Markdown table without the spaces and dashes that a formatter lines up. */
export const tableCells = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')))
