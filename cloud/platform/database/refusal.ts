/** The database cannot be started or used as it is: the message says what is wrong and what to do. Nothing was changed. */
export class DatabaseRefusal extends Error {
  override readonly name = 'DatabaseRefusal'
}

/** Another process of the product works in the data directory. */
export class DirectoryInUse extends DatabaseRefusal {}
