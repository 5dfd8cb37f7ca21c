"""The attacks on what goes over the network: requests, answers, forms, what is logged of them."""
