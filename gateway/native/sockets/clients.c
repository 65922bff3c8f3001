/*
 * A connection may outlive the certificate, the list that it is not on, and the authorities. So it is judged at each request, which costs two
 * comparisons as long as nothing has changed.
 *
 * A ticket has the client's certificate in it, and not those between it and an authority. So up to when all of them are good goes into
 * the ticket as well; a client that comes with it later has to show all of them again.
 */
#include "clients.h"
#include "authorities.h"
#include "identities.h"
#include <string.h>
#include <time.h>

static int64_t now(void) { return (int64_t)time(NULL); }

/* Until when the outcome of the handshake holds; 1970 when that is not known. */
static int64_t until_of(SSL *session, const struct authorities *authorities) {
  int64_t until = 0;
  void *kept = NULL;
  size_t length = 0;
  const STACK_OF(X509) *chain = SSL_get0_verified_chain(session);
  if (chain != NULL) return good_until(authorities, chain);
  if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(session), &kept, &length) == 1 && length == sizeof until) memcpy(&until, kept, length);
  return until;
}

static void judge(SSL *session, struct client *client, struct authorities *authorities) {
  static int64_t numbers = 0;
  X509 *shown = SSL_get0_peer_certificate(session);
  client->until = INT64_MAX;
  if (shown == NULL) {
    client->verdict = rule_of(authorities) == REQUIRED ? MISSED : NOT_SHOWN;
    return;
  }
  bool is_first = client->judged_by == 0 && authorities_of(session) == authorities;
  client->fault = is_first ? (int)SSL_get_verify_result(session) : X509_V_ERR_UNSPECIFIED;
  if (is_first && client->fault == X509_V_OK) client->until = until_of(session, authorities);
  if (!is_first || client->until < now()) client->fault = verify_again(authorities, shown, SSL_get_peer_cert_chain(session), &client->until);
  client->verdict = client->fault == X509_V_OK ? __atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED) : SHOWN_IN_VAIN;
}

int64_t judge_client(SSL *session, struct client *client) {
  uint64_t rules = rules_now(session);
  if (client->judged_by == rules && client->until >= now() && rules != 0) return client->verdict;
  struct authorities *authorities = take_authorities(session);
  /* Nobody who asks for this is let in by nobody's word. */
  if (authorities == NULL) return MISSED;
  judge(session, client, authorities);
  client->judged_by = number_of(authorities);
  drop_authorities(authorities);
  return client->verdict;
}

const char *fault_of_client(const struct client *client) { return X509_verify_cert_error_string(client->fault); }

static int make_ticket(SSL *session, void *nothing) {
  (void)nothing;
  const struct authorities *authorities = authorities_of(session);
  const STACK_OF(X509) *chain = SSL_get0_verified_chain(session);
  /* Of one that is resumed there is no chain, and what was said of it goes on to the next ticket. */
  if (authorities == NULL || chain == NULL || SSL_get_verify_result(session) != X509_V_OK) return 1;
  int64_t until = good_until(authorities, chain);
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(session), &until, sizeof until);
}

static bool counts_still(SSL_SESSION *session) {
  int64_t until;
  void *kept = NULL;
  size_t length = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &kept, &length) != 1 || length != sizeof until) return false;
  memcpy(&until, kept, length);
  return until >= now();
}

static SSL_TICKET_RETURN take_ticket(SSL *session, SSL_SESSION *resumed, const unsigned char *name, size_t length, SSL_TICKET_STATUS status, void *nothing) {
  (void)name;
  (void)length;
  (void)nothing;
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  const struct authorities *authorities = authorities_of(session);
  bool has_shown = SSL_SESSION_get0_peer(resumed) != NULL;
  /* One without a certificate is given the chance to show one. */
  bool is_good = authorities == NULL || (has_shown ? counts_still(resumed) : rule_of(authorities) == OPTIONAL);
  if (!is_good) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void keep_with_tickets(SSL_CTX *context) { SSL_CTX_set_session_ticket_cb(context, make_ticket, take_ticket, NULL); }
