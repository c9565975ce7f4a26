"""What operators and staff do: revoke in bulk, explain a token, prune, and send mail."""
