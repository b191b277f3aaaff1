export { type Authority, openAuthority } from './authority.ts'
export {
  type CertificateAndKey,
  ownCertificate,
  type ServerCertificate,
  suppliedCertificate,
} from './server-certificate.ts'
export type { Issued } from './x509.ts'
