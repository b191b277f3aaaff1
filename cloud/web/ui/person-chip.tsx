import type { PersonRef } from '#shared/contracts/person.ts'
import './person-chip.css'

/** A person by name; the initial stands for a picture. */
export function PersonChip({ person, note }: { readonly person: PersonRef; readonly note?: string }) {
  return (
    <span className="person">
      <span className="person-initial" aria-hidden="true">
        {person.name.slice(0, 1)}
      </span>
      <span className="clip">{person.name}</span>
      {note ? <span className="meta">{note}</span> : null}
    </span>
  )
}
