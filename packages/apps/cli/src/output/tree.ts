/** A line with what hangs below it. */
export interface TreeNode {
  readonly text: string
  readonly children?: readonly TreeNode[]
}

/** Draws trees with the lines of a terminal; every line ends in a newline. */
export function drawTree(nodes: readonly TreeNode[]): string {
  return nodes.map((node) => `${node.text}\n${drawChildren(node.children ?? [], '')}`).join('')
}

function drawChildren(nodes: readonly TreeNode[], indent: string): string {
  return nodes
    .map((node, index) => {
      const last = index === nodes.length - 1
      const below = drawChildren(node.children ?? [], `${indent}${last ? '   ' : '│  '}`)
      return `${indent}${last ? '└─ ' : '├─ '}${node.text}\n${below}`
    })
    .join('')
}
