import { randomInt } from 'node:crypto'
import { invalid } from '@berth/base'

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** The name without its slash; throws `invalid` in Docker's words. */
export function parseContainerName(name: string): string {
  const bare = name.replace(/^\//, '')
  if (!validName.test(bare)) {
    throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
  }
  return bare
}

const moods =
  'able agile amber ample balmy bold brave breezy bright brisk calm candid cheery civil clear clever cosy crisp deft eager early easy fair famed fleet fond frank free fresh gentle glad golden good grand happy hardy hearty humble jolly keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble patient plucky polite proud quick quiet ready robust salty serene sharp silent smart snug sober solid spry stable steady stout sunny swift tidy tranquil trim true trusty upbeat vivid warm wise witty zesty'.split(
    ' ',
  )
const seafarers =
  'amundsen anson baret barents bering bligh bougainville cabot cabral cartier chichester columbus cook cousteau dampier darwin davis diaz drake earhart elcano erikson flinders franklin frobisher gama grenfell hanno heyerdahl hudson humboldt joyon knox laperouse magellan moitessier nansen nelson noonan orellana parry peary pytheas quiros raleigh ross shackleton slocum smeeton tasman thesiger tristan vancouver vespucci weddell wilkes zheng'.split(
    ' ',
  )

/** A free name of the form `calm_magellan`; after some tries with a digit, as often as it takes. */
export function generateName(isFree: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const base = `${pick(moods)}_${pick(seafarers)}`
    const name = attempt < 6 ? base : `${base}${randomInt(10 ** Math.min(attempt - 5, 9))}`
    if (isFree(name)) return name
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] as string
}
